// Names and stacks on a scripted kernel: files that lie about themselves, maps of every kind, registers of any content.
#include <cerrno>
#include <cstring>
#include <string>

#include "../core/os/fake.h"
#include "../core/sampling/named_stacks.h"
#include "../core/sampling/program_map.h"
#include "harness.h"

using namespace sysopt;
using os::fake::Reset;
using os::fake::State;
using sampling::kDepth;
using sampling::ThreadSampler;

namespace {

template <typename T>
void Append(std::string* file, T value) {
  file->append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct Entry {
  const char* name;
  std::uint64_t value;
  std::uint64_t size;
  unsigned char type = 2;
};

// An ELF file whose code, 4096 bytes from offset 0x1000 on, is loaded at 0x401000.
std::string ElfFile(std::initializer_list<Entry> entries, std::uint32_t table_type = 2) {
  std::string names(1, '\0');
  std::string symbols(24, '\0');
  for (const Entry& entry : entries) {
    Append(&symbols, static_cast<std::uint32_t>(names.size()));
    symbols.push_back(static_cast<char>(entry.type));
    symbols.push_back('\0');
    Append(&symbols, std::uint16_t{1});
    Append(&symbols, entry.value);
    Append(&symbols, entry.size);
    names += entry.name;
    names.push_back('\0');
  }
  constexpr std::uint64_t kTables = 0x2000;
  const std::uint64_t names_at = kTables + symbols.size();
  const std::uint64_t sections_at = names_at + names.size();
  std::string file("\x7f" "ELF\2\1\1", 7);
  file.resize(16);
  for (const std::uint16_t half : {std::uint16_t{2}, std::uint16_t{62}}) Append(&file, half);
  Append(&file, std::uint32_t{1});
  for (const std::uint64_t word : {std::uint64_t{0}, std::uint64_t{64}, sections_at}) Append(&file, word);
  Append(&file, std::uint32_t{0});
  for (const int half : {64, 56, 1, 64, 3, 0}) Append(&file, static_cast<std::uint16_t>(half));
  Append(&file, std::uint32_t{1});  // the part to load
  Append(&file, std::uint32_t{5});
  for (const std::uint64_t word : {0x1000, 0x401000, 0x401000, 0x1000, 0x1000, 0x1000}) Append(&file, word);
  file.resize(kTables);
  file += symbols + names;
  file.resize(sections_at + 64);
  const auto section = [&](std::uint32_t type, std::uint64_t offset, std::uint64_t size, std::uint32_t link,
                           std::uint64_t each) {
    Append(&file, std::uint32_t{0});
    Append(&file, type);
    for (const std::uint64_t word : {std::uint64_t{0}, std::uint64_t{0}, offset, size}) Append(&file, word);
    Append(&file, link);
    Append(&file, std::uint32_t{0});
    Append(&file, std::uint64_t{8});
    Append(&file, each);
  };
  section(table_type, kTables, symbols.size(), 2, 24);
  section(3, names_at, names.size(), 0, 0);
  return file;
}

std::string NameAt(sampling::ElfSymbols* symbols, std::uint64_t offset) {
  sampling::SymbolQuery query;
  query.offset = offset;
  EXPECT(symbols->Find(&query, 1).ok());
  return symbols->NameOf(query);
}

// A sampler on a stack of 64 words that the test fills.
struct Scripted {
  std::uintptr_t words[64] = {};
  ThreadSampler sampler;

  Scripted() {
    Reset();
    State().stack_low = reinterpret_cast<std::uintptr_t>(words);
    State().stack_high = reinterpret_cast<std::uintptr_t>(words + 64);
    EXPECT(sampler.Start(1).ok());
  }
  std::uintptr_t At(std::size_t word) const { return reinterpret_cast<std::uintptr_t>(words + word); }
  std::size_t DepthOf(const os::Interrupted& at) {
    sampler.Take(at);
    const sampling::Stack& stack = sampler.stacks()[sampler.size() - 1];
    std::size_t depth = 0;
    while (depth < kDepth && stack.frames[depth] != 0) ++depth;
    return depth;
  }
};

}  // namespace

TEST(FunctionsAreFoundByTheAddressesThatTheyHold) {
  Reset();
  State().files["/app"] = ElfFile({{"first", 0x401000, 0x10},
                                   {"second", 0x401010, 0x20},
                                   {"whole", 0x401000, 0x800},
                                   {"assembler", 0x401900, 0},
                                   {"data", 0x401010, 0x20, 1}});
  sampling::ElfSymbols symbols;
  EXPECT(symbols.Open("/app").ok());
  EXPECT(symbols.table() == sampling::SymbolTable::kFull);
  EXPECT_EQ(NameAt(&symbols, 0x1000), "first");
  EXPECT_EQ(NameAt(&symbols, 0x100f), "first");
  EXPECT_EQ(NameAt(&symbols, 0x1010), "second");
  EXPECT_EQ(NameAt(&symbols, 0x102f), "second");
  EXPECT_EQ(NameAt(&symbols, 0x1030), "whole");
  EXPECT_EQ(NameAt(&symbols, 0x1800), "");
  EXPECT_EQ(NameAt(&symbols, 0x1950), "assembler");
  EXPECT_EQ(NameAt(&symbols, 0x5000), "");
}

TEST(ExportedNamesAreToldFromAllNames) {
  Reset();
  State().files["/lib"] = ElfFile({{"open", 0x401000, 0x10}}, 11);
  State().files["/stripped"] = ElfFile({}, 1);
  sampling::ElfSymbols exported;
  EXPECT(exported.Open("/lib").ok());
  EXPECT(exported.table() == sampling::SymbolTable::kExported);
  EXPECT_EQ(NameAt(&exported, 0x1004), "open");
  sampling::ElfSymbols none;
  EXPECT(none.Open("/stripped").ok());
  EXPECT(none.table() == sampling::SymbolTable::kNone);
  EXPECT_EQ(NameAt(&none, 0x1004), "");
  sampling::ElfSymbols missing;
  EXPECT_EQ(missing.Open("/gone").error, ENOENT);
}

TEST(FilesThatLieOrEndEarlyHarmNothing) {
  Reset();
  const std::string whole = ElfFile({{"first", 0x401000, 0x10}, {"second", 0x401010, ~0ull}});
  std::uint32_t random = 1;
  for (int round = 0; round < 4000; ++round) {
    std::string file = whole;
    const auto next = [&] { return random = random * 1664525u + 1013904223u; };
    // Changes lie in the headers and tables, where they mean something; every fourth file is cut.
    for (int change = 0; change < 6; ++change) {
      const std::size_t tables = file.size() - 0x2000;
      const std::size_t at = (next() >> 8) % (120 + tables);
      file[at < 120 ? at : at - 120 + 0x2000] = static_cast<char>(next() >> 16);
    }
    if (round % 4 == 0) file.resize((next() >> 8) % file.size());
    State().files["/app"] = file;
    sampling::ElfSymbols symbols;
    if (!symbols.Open("/app").ok()) continue;
    sampling::SymbolQuery queries[3];
    queries[0].offset = 0x1000;
    queries[1].offset = 0x1018;
    queries[2].offset = ~std::uint64_t{0};
    if (!symbols.Find(queries, 3).ok()) continue;
    for (const sampling::SymbolQuery& query : queries) EXPECT(symbols.NameOf(query).size() < 1024);
  }
  EXPECT(State().kept.empty());
}

TEST(MapsTellCodeByWhereItCameFrom) {
  Reset();
  State().files["/proc/self/maps"] =
      "00400000-00401000 r--p 00000000 08:01 7   /usr/bin/node\n"
      "00401000-00402000 r-xp 00001000 08:01 7   /usr/bin/a program (deleted)\n"
      "00500000-00501000 rwxp 00000000 00:00 0 \n"
      "00600000-00601000 r-xp 00000000 00:00 0   [anon:v8]\n"
      "7fff0000-7fff1000 r-xp 00000000 00:00 0   [vdso]\n"
      "nonsense\n" +
      std::string(9000, 'x') + "\n00700000-00701000 r-xp 00000000 08:01 7 /last\n";
  sampling::ProgramMap map;
  EXPECT(ReadProgramMap(&map).ok());
  EXPECT_EQ(map.size(), 5u);
  const auto path_at = [&](std::uintptr_t address) {
    const sampling::CodeRange* const range = FindRange(map, address);
    return range == nullptr ? std::string("nothing") : range->path;
  };
  EXPECT_EQ(path_at(0x400000), "nothing");
  EXPECT_EQ(path_at(0x401000), "/usr/bin/a program (deleted)");
  EXPECT_EQ(path_at(0x401fff), "/usr/bin/a program (deleted)");
  EXPECT_EQ(path_at(0x402000), "nothing");
  EXPECT_EQ(path_at(0x500010), "");
  EXPECT_EQ(path_at(0x600010), "");
  EXPECT_EQ(path_at(0x7fff0010), "[vdso]");
  EXPECT_EQ(path_at(0x700010), "/last");
  EXPECT_EQ(FindRange(map, 0x401000)->offset, 0x1000u);
}

TEST(SamplesAreNamedWithTheirCallers) {
  Scripted scripted;
  State().files["/app"] = ElfFile({{"inner", 0x401000, 0x10}, {"outer", 0x401010, 0x20}});
  State().files["/app"][0x1007] = 0x05;
  State().files["/proc/self/maps"] =
      "00401000-00402000 r-xp 00001000 08:01 7 /app\n"
      "00500000-00501000 rwxp 00000000 00:00 0 \n";
  scripted.words[10] = scripted.At(20);
  scripted.words[11] = 0x401030;  // behind the last byte of outer: its last instruction called
  scripted.words[20] = 0;
  scripted.words[21] = 0x500010;
  EXPECT_EQ(scripted.DepthOf({0x401008, scripted.At(4), scripted.At(10)}), 3u);
  EXPECT(scripted.sampler.Stop());
  sampling::NamedStacks named;
  EXPECT(NameStacks(scripted.sampler, &named).ok());
  const auto& leaf = named.frames.at(named.leaves.at(0x401008));
  EXPECT_EQ(leaf.name, "inner");
  EXPECT(leaf.in_kernel);
  EXPECT_EQ(named.modules.at(static_cast<std::uint32_t>(leaf.module)).path, "/app");
  const auto& caller = named.frames.at(named.callers.at(0x401030));
  EXPECT_EQ(caller.name, "outer");
  EXPECT(!caller.in_kernel);
  EXPECT_EQ(named.frames.at(named.callers.at(0x500010)).module, sampling::kCompiledCode);
}

TEST(FilesThatAreGoneLeaveTheirModule) {
  Scripted scripted;
  State().files["/proc/self/maps"] = "00401000-00402000 r-xp 00001000 08:01 7 /gone (deleted)\n";
  EXPECT_EQ(scripted.DepthOf({0x401008, 0, 0}), 1u);
  EXPECT_EQ(scripted.DepthOf({0x900000, 0, 0}), 1u);
  EXPECT(scripted.sampler.Stop());
  sampling::NamedStacks named;
  EXPECT(NameStacks(scripted.sampler, &named).ok());
  EXPECT_EQ(named.modules.at(0).error, ENOENT);
  EXPECT_EQ(named.frames.at(named.leaves.at(0x401008)).name, "");
  EXPECT_EQ(named.frames.at(named.leaves.at(0x900000)).module, sampling::kNoCode);
}

TEST(RegistersOfAnyContentAreNotFollowedOffTheStack) {
  Scripted scripted;
  const std::uintptr_t sp = scripted.At(8);
  for (const std::uintptr_t fp : {std::uintptr_t{0}, std::uintptr_t{1}, ~std::uintptr_t{0}, ~std::uintptr_t{7},
                                  scripted.At(64), scripted.At(63), scripted.At(7), scripted.At(9) + 1}) {
    EXPECT_EQ(scripted.DepthOf({0x1000, sp, fp}), 1u);
  }
  // A stack pointer elsewhere: on a stack that nobody told the bounds of.
  scripted.words[11] = 0x2000;
  EXPECT_EQ(scripted.DepthOf({0x1000, 64, scripted.At(10)}), 1u);
  EXPECT_EQ(scripted.DepthOf({0x1000, ~std::uintptr_t{0}, scripted.At(10)}), 1u);
  // A frame that leads to itself, and one that leads back.
  scripted.words[10] = scripted.At(10);
  EXPECT_EQ(scripted.DepthOf({0x1000, sp, scripted.At(10)}), 2u);
  scripted.words[10] = scripted.At(8);
  EXPECT_EQ(scripted.DepthOf({0x1000, sp, scripted.At(10)}), 2u);
  // As many frames as fit are kept, and no more.
  for (std::size_t i = 8; i < 62; i += 2) {
    scripted.words[i] = scripted.At(i + 2);
    scripted.words[i + 1] = 0x3000 + i;
  }
  EXPECT_EQ(scripted.DepthOf({0x1000, sp, scripted.At(8)}), kDepth);
  EXPECT(scripted.sampler.Stop());
}

TEST(LongRunsAreThinnedEvenly) {
  Scripted scripted;
  constexpr std::size_t kTaken = 5 * ThreadSampler::kCapacity + 3;
  for (std::size_t i = 0; i < kTaken; ++i) scripted.sampler.Take({i + 1, 0, 0});
  EXPECT_EQ(scripted.sampler.taken(), kTaken);
  const std::size_t size = scripted.sampler.size();
  EXPECT(size >= ThreadSampler::kCapacity / 2 && size <= ThreadSampler::kCapacity);
  const std::uintptr_t stride = scripted.sampler.stacks()[1].frames[0] - scripted.sampler.stacks()[0].frames[0];
  EXPECT_EQ(stride, 8u);
  for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(scripted.sampler.stacks()[i].frames[0], 1 + i * stride);
  EXPECT(scripted.sampler.Stop());
}

TEST(RefusalsLeaveNothingBehind) {
  Reset();
  ThreadSampler sampler;
  for (const char* call : {"stack-bounds", "timer_create"}) {
    State().errors = {{call, EPERM}};
    EXPECT_EQ(sampler.Start(1).error, EPERM);
    EXPECT(!sampler.is_running());
    EXPECT(!sampler.Stop());
  }
  State().errors.clear();
  EXPECT(sampler.Start(1).ok());
  EXPECT_EQ(sampler.Start(1).error, EALREADY);
  EXPECT(sampler.Stop());
  EXPECT_EQ(State().calls.back(), "timer_delete");
}

