#include "named_stacks.h"

#include <cerrno>
#include <memory>
#include <new>
#include <tuple>

#include "program_map.h"

namespace sysopt::sampling {
namespace {

// An address and whether it is a sample's own: a caller's return address lies behind the call, and may be the next
// function's first byte.
using Place = std::pair<std::uintptr_t, bool>;
// Places of one file, by their offset in it. Two mappings of a file give the same offset twice.
using OffsetsOfFile = std::multimap<std::uint64_t, Place>;

class Namer {
 public:
  explicit Namer(NamedStacks* out) : out_(out) {}

  void Add(const Place& place, std::int32_t module, std::uint64_t function, const std::string& name, bool in_kernel) {
    const auto [found, is_new] = known_.try_emplace({module, function, in_kernel}, next_);
    if (is_new) out_->frames[next_++] = {module, name, in_kernel};
    (place.second ? out_->leaves : out_->callers)[place.first] = found->second;
  }

 private:
  NamedStacks* const out_;
  std::map<std::tuple<std::int32_t, std::uint64_t, bool>, std::uint32_t> known_;
  std::uint32_t next_ = 0;
};

// No function starts at the last address there is.
constexpr std::uint64_t kUnnamed = ~std::uint64_t{0};

Status NameFile(const std::string& path, const OffsetsOfFile& places, std::int32_t number, Namer* namer,
                NamedStacks* out) {
  Module& module = out->modules[static_cast<std::uint32_t>(number)];
  module.path = path;
  const std::unique_ptr<SymbolQuery[]> queries(new (std::nothrow) SymbolQuery[places.size()]);
  if (!queries) return Status::Fail(ENOMEM, "malloc");
  std::size_t count = 0;
  for (const auto& [offset, place] : places) {
    if (count == 0 || queries[count - 1].offset != offset) queries[count++].offset = offset;
  }
  ElfSymbols symbols;
  Status status = symbols.Open(path.c_str());
  if (status.ok()) status = symbols.Find(queries.get(), count);
  module.error = status.error;
  if (status.ok()) module.table = symbols.table();
  std::map<std::uint64_t, std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    const SymbolQuery& query = queries[i];
    const bool is_named = status.ok() && query.has_symbol;
    if (is_named && names.count(query.start) == 0) names[query.start] = symbols.NameOf(query);
    const std::uint64_t function = is_named ? query.start : kUnnamed;
    const auto [from, to] = places.equal_range(query.offset);
    for (auto at = from; at != to; ++at) {
      const bool in_kernel = at->second.second && query.follows_system_call;
      namer->Add(at->second, number, function, is_named ? names[query.start] : std::string(), in_kernel);
    }
  }
  out->bytes_read += symbols.bytes_read();
  return Status::Ok();
}

}  // namespace

Status NameStacks(const ThreadSampler& sampler, NamedStacks* out) {
  ProgramMap map;
  if (const Status status = ReadProgramMap(&map); !status.ok()) return status;
  std::map<Place, bool> places;
  for (std::size_t i = 0; i < sampler.size(); ++i) {
    const Stack& stack = sampler.stacks()[i];
    for (std::size_t j = 0; j < kDepth && stack.frames[j] != 0; ++j) places[{stack.frames[j], j == 0}] = true;
  }
  Namer namer(out);
  std::map<std::string, OffsetsOfFile> files;
  for (const auto& [place, seen] : places) {
    const std::uintptr_t at = place.second ? place.first : place.first - 1;
    const CodeRange* const range = FindRange(map, at);
    if (range == nullptr) {
      namer.Add(place, kNoCode, kUnnamed, "", false);
    } else if (range->path.empty()) {
      namer.Add(place, kCompiledCode, kUnnamed, "", false);
    } else {
      files[range->path].emplace(at - range->start + range->offset, place);
    }
  }
  std::int32_t number = 0;
  for (const auto& [path, offsets] : files) {
    if (const Status status = NameFile(path, offsets, number++, &namer, out); !status.ok()) return status;
  }
  return Status::Ok();
}

}  // namespace sysopt::sampling
