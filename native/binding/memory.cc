#include "memory.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "arguments.h"
#include "environment.h"
#include "errors.h"

namespace sysopt::binding {

// One region and its buffer. `mapped` false: the memory is V8's own, over-allocated.
struct RegionTable::Entry {
  explicit Entry(RegionTable* owner) : table(owner) { ++table->holders_; }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() { table->Drop(); }

  RegionTable* const table;
  std::uint64_t id = 0;
  memory::Region region;
  bool mapped = false;
  // Weak: an unreachable buffer takes its region with it.
  napi_ref buffer = nullptr;
  // While the buffer is being made, a failure may or may not run the finalizer; it then only leaves word
  // here.
  bool constructing = true;
  bool finalized = false;
};

namespace {

constexpr std::size_t kColumnsOfResidency = 2;
constexpr double kMaxNode = 1023;

const char* SourceName(bool mapped) { return mapped ? "mmap" : "array-buffer"; }

const char* HugePageName(memory::HugePageGrant grant) {
  switch (grant) {
    case memory::HugePageGrant::kNone:
      return "none";
    case memory::HugePageGrant::kAdvised:
      return "advised";
    case memory::HugePageGrant::kRefused:
      return "refused";
  }
  return "none";
}

std::string Describe(const memory::RegionRequest& request) {
  return "a region of " + std::to_string(request.size) + " bytes";
}

}  // namespace

RegionTable::RegionTable(Napi::Env env)
    : array_buffer_(Napi::Persistent(env.Global().Get("ArrayBuffer").As<Napi::Function>())) {
  const char* const setting = std::getenv("SYSOPT_EXTERNAL_BUFFERS");
  external_buffers_ = !setting || std::strcmp(setting, "0") != 0;
}

Napi::Object RegionTable::Create(Napi::Env env, const memory::RegionRequest& request) {
  auto owned = std::make_unique<Entry>(this);
  Entry* const entry = owned.get();
  entry->id = next_id_++;

  Napi::Value buffer;
  if (external_buffers_) {
    ThrowIfFailed(env, memory::CreateRegion(request, &entry->region), Describe(request));
    entry->mapped = true;
    buffer = MapBuffer(env, entry);
  }
  if (buffer.IsEmpty()) buffer = OwnBuffer(env, request, entry);

  const napi_status referenced = napi_create_reference(env, buffer, 0, &entry->buffer);
  entry->constructing = false;
  owned.release();  // the buffer's finalizer owns it from here on
  NAPI_THROW_IF_FAILED(env, referenced, Napi::Object());
  open_.emplace(entry->id, entry);

  Napi::Object grant = Napi::Object::New(env);
  const memory::Region& region = entry->region;
  const auto start = static_cast<std::byte*>(region.mapping.start);
  const auto base = static_cast<std::byte*>(region.mapping.base);
  grant.Set("id", Napi::Number::New(env, static_cast<double>(entry->id)));
  grant.Set("buffer", buffer);
  grant.Set("source", SourceName(entry->mapped));
  grant.Set("offsetBytes", Napi::Number::New(env, entry->mapped ? 0 : static_cast<double>(start - base)));
  grant.Set("sizeBytes", Napi::Number::New(env, static_cast<double>(region.mapping.size)));
  grant.Set("alignmentBytes", Napi::Number::New(env, static_cast<double>(region.alignment)));
  grant.Set("hugePages", HugePageName(region.huge_pages));
  grant.Set("prefaulted", Napi::Boolean::New(env, region.prefaulted));
  return grant;
}

// The mapping as an external buffer. Empty where this host refuses those, or one of this length; the mapping
// is then gone.
Napi::Value RegionTable::MapBuffer(Napi::Env env, Entry* entry) {
  const os::Mapping& mapping = entry->region.mapping;
  napi_value buffer = nullptr;
  const napi_status status =
      napi_create_external_arraybuffer(env, mapping.start, mapping.size, Finalize, entry, &buffer);
  if (status == napi_ok) return Napi::Value(env, buffer);

  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) {
    napi_value ignored;  // too large for a Buffer, which Node makes on the way: a buffer of V8's own may fit
    napi_get_and_clear_last_exception(env, &ignored);
  }
  if (status == napi_no_external_buffers_allowed) external_buffers_ = false;
  if (!entry->finalized) static_cast<void>(memory::DestroyRegion(entry->region));
  entry->mapped = false;
  entry->finalized = false;
  return Napi::Value();
}

// V8's own memory, larger by the alignment. Made by the constructor in JavaScript, which throws where memory
// is short: napi_create_arraybuffer ends the process.
Napi::Value RegionTable::OwnBuffer(Napi::Env env, const memory::RegionRequest& request, Entry* entry) {
  if (request.huge_pages == memory::HugePages::kRequire) {
    ThrowIfFailed(env, Status::Fail(ENOTSUP, "madvise", "this host gives no memory outside V8's own buffers"),
                  Describe(request));
  }
  const double length = static_cast<double>(request.size) + static_cast<double>(request.alignment);
  Napi::Value buffer;
  try {
    buffer = array_buffer_.New({Napi::Number::New(env, length)});
  } catch (const Napi::Error&) {
    ThrowIfFailed(env, Status::Fail(ENOMEM, "ArrayBuffer"), Describe(request));
  }
  void* base = nullptr;
  std::size_t base_size = 0;
  NAPI_THROW_IF_FAILED(env, napi_get_arraybuffer_info(env, buffer, &base, &base_size), Napi::Value());
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  const std::size_t offset = (request.alignment - address % request.alignment) % request.alignment;

  entry->region = {};
  entry->region.mapping = {static_cast<std::byte*>(base) + offset, static_cast<std::size_t>(request.size),
                           base, base_size};
  entry->region.alignment = request.alignment;
  entry->region.huge_pages = request.huge_pages == memory::HugePages::kNever
                                 ? memory::HugePageGrant::kNone
                                 : memory::HugePageGrant::kRefused;
  if (request.prefault) {
    memory::TouchPages(entry->region.mapping.start, entry->region.mapping.size);
    entry->region.prefaulted = true;
  }
  NAPI_THROW_IF_FAILED(env, napi_add_finalizer(env, buffer, entry, Finalize, nullptr, nullptr),
                       Napi::Value());
  return buffer;
}

// Runs once per entry, on the environment's thread: when the last user of the memory is gone, or while the
// environment is torn down. For a mapped region the data is the memory, for V8's own it is the entry.
void RegionTable::Finalize(napi_env env, void* data, void* hint) {
  Entry* const entry = static_cast<Entry*>(hint ? hint : data);
  if (entry->constructing) {
    if (entry->mapped) static_cast<void>(memory::DestroyRegion(entry->region));
    entry->finalized = true;
    return;
  }
  Release(env, entry);
}

void RegionTable::Release(napi_env env, Entry* entry) {
  const std::unique_ptr<Entry> owned(entry);
  entry->table->open_.erase(entry->id);
  if (entry->buffer) napi_delete_reference(env, entry->buffer);
  if (entry->mapped) entry->table->Unmap(entry->region);
}

void RegionTable::Unmap(const memory::Region& region) {
  static_cast<void>(os::Discard(region.mapping.start, region.mapping.size));
  memory::Region& oldest = lingering_[oldest_];
  if (oldest.mapping.base) static_cast<void>(memory::DestroyRegion(oldest));
  oldest = region;
  oldest_ = (oldest_ + 1) % kLingering;
}

RegionTable::~RegionTable() {
  for (const memory::Region& region : lingering_) {
    if (region.mapping.base) static_cast<void>(memory::DestroyRegion(region));
  }
}

bool RegionTable::Close(Napi::Env env, double id) {
  if (!(id >= 1 && id <= kMaxSafeInteger) || id != std::floor(id)) return false;
  const auto found = open_.find(static_cast<std::uint64_t>(id));
  if (found == open_.end()) return false;
  Entry* const entry = found->second;
  open_.erase(found);

  napi_value buffer = nullptr;
  NAPI_THROW_IF_FAILED(env, napi_get_reference_value(env, entry->buffer, &buffer), false);
  if (!buffer) return true;  // collected; its finalizer is on its way
  bool detached = false;
  NAPI_THROW_IF_FAILED(env, napi_is_detached_arraybuffer(env, buffer, &detached), false);
  // Detached by someone else: the memory has a new owner, and goes when that one does.
  if (detached) return true;
  // Before detaching, which may already run the finalizer.
  const memory::Region region = entry->region;
  if (entry->mapped) static_cast<void>(os::Discard(region.mapping.start, region.mapping.size));
  NAPI_THROW_IF_FAILED(env, napi_detach_arraybuffer(env, buffer), false);
  return true;
}

RegionTable::Entry& RegionTable::Find(Napi::Env env, double id) {
  const bool plausible = id >= 1 && id <= kMaxSafeInteger && id == std::floor(id);
  const auto found = plausible ? open_.find(static_cast<std::uint64_t>(id)) : open_.end();
  if (found == open_.end()) throw BadArgument(env, true, "id is not that of an open region");
  return *found->second;
}

std::uint64_t RegionTable::Trim(Napi::Env env, double id, std::uint64_t offset, std::uint64_t length) {
  const Entry& entry = Find(env, id);
  const std::size_t size = entry.region.mapping.size;
  if (offset > size || length > size - offset) {
    throw BadArgument(env, true, "the range lies outside the region's " + std::to_string(size) + " bytes");
  }
  // V8's own memory shares its pages with the allocator's bookkeeping, and a detached buffer's is not ours.
  napi_value buffer = nullptr;
  NAPI_THROW_IF_FAILED(env, napi_get_reference_value(env, entry.buffer, &buffer), 0);
  bool detached = true;
  if (buffer) NAPI_THROW_IF_FAILED(env, napi_is_detached_arraybuffer(env, buffer, &detached), 0);
  if (!buffer || detached) return 0;
  if (!entry.mapped) return 0;
  std::uint64_t bytes = 0;
  ThrowIfFailed(env, memory::TrimRegion(entry.region, offset, length, &bytes), "a region");
  return bytes;
}

bool RegionTable::Measure(Napi::Env env, double id, memory::Residency* out) {
  const Entry& entry = Find(env, id);
  if (entry.mapped) ThrowIfFailed(env, memory::GetResidency(entry.region, out), "a region");
  return entry.mapped;
}

void RegionTable::Abandon() {
  array_buffer_.Reset();
  for (const auto& [id, entry] : open_) {
    const os::Mapping& mapping = entry->region.mapping;
    if (entry->mapped) static_cast<void>(os::Discard(mapping.start, mapping.size));
  }
  Drop();
}

void RegionTable::Drop() {
  if (--holders_ == 0) delete this;
}

namespace {

Napi::Value RegionCreate(const Napi::CallbackInfo& info) {
  memory::RegionRequest request;
  request.size = IntegerArgument(info, 0, "sizeBytes", 1, static_cast<double>(memory::kMaxRegionSize));
  request.alignment = static_cast<std::size_t>(IntegerArgument(
      info, 1, "alignmentBytes", memory::kMinAlignment, static_cast<double>(memory::kMaxAlignment)));
  if ((request.alignment & (request.alignment - 1)) != 0) {
    throw BadArgument(info.Env(), true,
                      "alignmentBytes is " + std::to_string(request.alignment) + "; pass a power of two");
  }
  request.huge_pages = static_cast<memory::HugePages>(IntegerArgument(info, 2, "hugePages", 0, 2));
  request.prefault = BooleanArgument(info, 3, "prefault");
  return Environment::Of(info).regions->Create(info.Env(), request);
}

Napi::Value RegionClose(const Napi::CallbackInfo& info) {
  const double id = NumberArgument(info, 0, "id");
  return Napi::Boolean::New(info.Env(), Environment::Of(info).regions->Close(info.Env(), id));
}

Napi::Value RegionTrim(const Napi::CallbackInfo& info) {
  const double id = NumberArgument(info, 0, "id");
  const std::uint64_t offset = IntegerArgument(info, 1, "offsetBytes", 0, kMaxSafeInteger);
  const std::uint64_t length = IntegerArgument(info, 2, "lengthBytes", 0, kMaxSafeInteger);
  const std::uint64_t bytes = Environment::Of(info).regions->Trim(info.Env(), id, offset, length);
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

void RegionResidency(const Napi::CallbackInfo& info) {
  const double id = NumberArgument(info, 0, "id");
  const View<double> out = Float64Argument(info, 1, "out", kColumnsOfResidency);
  memory::Residency residency;
  const bool known = Environment::Of(info).regions->Measure(info.Env(), id, &residency);
  out.data[0] = known ? static_cast<double>(residency.resident_bytes) : std::nan("");
  out.data[1] = known && residency.huge_known ? static_cast<double>(residency.huge_bytes) : std::nan("");
}

Napi::Value RegionCount(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Environment::Of(info).regions->size()));
}

Napi::Value AddressOf(const Napi::CallbackInfo& info) {
  const View<std::byte> bytes = BytesArgument(info, 0, "view");
  return Napi::BigInt::New(info.Env(),
                           static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(bytes.data)));
}

Napi::Value AdviseHugePages(const Napi::CallbackInfo& info) {
  const View<std::byte> bytes = BytesArgument(info, 0, "view");
  const bool advised = bytes.length > 0 && memory::AdviseHugePages(bytes.data, bytes.length).ok();
  return Napi::Boolean::New(info.Env(), advised);
}

void BindToNode(const Napi::CallbackInfo& info) {
  const View<std::byte> bytes = BytesArgument(info, 0, "view");
  const auto node = static_cast<unsigned>(IntegerArgument(info, 1, "node", 0, kMaxNode));
  ThrowIfFailed(info.Env(), memory::BindRangeToNode(bytes.data, bytes.length, node),
                "memory on NUMA node " + std::to_string(node));
}

// Of shared memory only: V8 owns it until the last holder is gone, and it never maps a file.
Napi::Value DiscardShared(const Napi::CallbackInfo& info) {
  const View<std::byte> bytes = BytesArgument(info, 0, "view");
  // Not by the property `buffer`, which a subclass may replace.
  napi_value buffer = nullptr;
  bool is_private = true;
  napi_status status = napi_get_typedarray_info(info.Env(), info[0], nullptr, nullptr, nullptr, &buffer, nullptr);
  if (status != napi_ok) {
    status = napi_get_dataview_info(info.Env(), info[0], nullptr, nullptr, &buffer, nullptr);
  }
  if (status == napi_ok) status = napi_is_arraybuffer(info.Env(), buffer, &is_private);
  NAPI_THROW_IF_FAILED(info.Env(), status, Napi::Value());
  if (is_private) throw BadArgument(info.Env(), false, "view must be over a SharedArrayBuffer");
  std::uint64_t given_back = 0;
  const Status discarded = memory::DiscardRange(bytes.data, bytes.length, &given_back);
  if (discarded.error != ENOTSUP) ThrowIfFailed(info.Env(), discarded, "shared memory");
  return Napi::Number::New(info.Env(), static_cast<double>(given_back));
}

void ViewResidency(const Napi::CallbackInfo& info) {
  const View<std::byte> bytes = BytesArgument(info, 0, "view");
  const View<double> out = Float64Argument(info, 1, "out", kColumnsOfResidency);
  memory::Residency residency;
  if (bytes.length > 0) {
    ThrowIfFailed(info.Env(), memory::GetRangeResidency(bytes.data, bytes.length, &residency), "a view");
  }
  out.data[0] = static_cast<double>(residency.resident_bytes);
  out.data[1] = residency.huge_known ? static_cast<double>(residency.huge_bytes) : std::nan("");
}

}  // namespace

void DefineMemory(Napi::Env env, Napi::Object exports) {
  exports.Set("regionCreate", Napi::Function::New(env, RegionCreate, "regionCreate"));
  exports.Set("regionClose", Napi::Function::New(env, RegionClose, "regionClose"));
  exports.Set("regionTrim", Napi::Function::New(env, RegionTrim, "regionTrim"));
  exports.Set("regionResidency", Napi::Function::New(env, RegionResidency, "regionResidency"));
  exports.Set("regionCount", Napi::Function::New(env, RegionCount, "regionCount"));
  exports.Set("addressOf", Napi::Function::New(env, AddressOf, "addressOf"));
  exports.Set("bindToNode", Napi::Function::New(env, BindToNode, "bindToNode"));
  exports.Set("discardShared", Napi::Function::New(env, DiscardShared, "discardShared"));
  exports.Set("viewResidency", Napi::Function::New(env, ViewResidency, "viewResidency"));
  exports.Set("adviseHugePages", Napi::Function::New(env, AdviseHugePages, "adviseHugePages"));
}

}  // namespace sysopt::binding
