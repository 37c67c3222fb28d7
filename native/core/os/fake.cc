#include "fake.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

namespace sysopt::os {
namespace fake {
namespace {

constexpr std::size_t kPage = 4096;

// Members of a group, leader first.
std::map<int, std::vector<int>>& Groups() {
  static std::map<int, std::vector<int>> groups;
  return groups;
}

int& NextDescriptor() {
  static int next = 100;
  return next;
}

Status Call(const char* name) {
  State().calls.emplace_back(name);
  if (std::vector<int>& next = State().next_errors[name]; !next.empty()) {
    const int error = next.front();
    next.erase(next.begin());
    return error == 0 ? Status::Ok() : Status::Fail(error, name);
  }
  const auto found = State().errors.find(name);
  return found == State().errors.end() || found->second == 0 ? Status::Ok()
                                                             : Status::Fail(found->second, name);
}

}  // namespace

Kernel& State() {
  static Kernel kernel;
  return kernel;
}

void Reset() {
  State() = Kernel();
  Groups().clear();
  for (int cpu = 0; cpu < 4; ++cpu) State().online.Add(cpu);
  State().affinity = State().online;
}

}  // namespace fake

using fake::Call;
using fake::State;

std::size_t PageSize() noexcept { return fake::kPage; }
std::size_t HugePageSize() noexcept { return State().huge_page_size; }

Status Map(std::size_t size, std::size_t alignment, Mapping* out) noexcept {
  if (const Status status = Call("mmap"); !status.ok()) return status;
  void* const memory = ::operator new(size, std::align_val_t(alignment), std::nothrow);
  if (!memory) return Status::Fail(ENOMEM, "mmap");
  std::memset(memory, 0, size);
  State().mappings[memory] = alignment;
  *out = {memory, size, memory, size};
  return Status::Ok();
}

Status Unmap(const Mapping& mapping) noexcept {
  if (const Status status = Call("munmap"); !status.ok()) return status;
  const auto found = State().mappings.find(mapping.base);
  if (found == State().mappings.end()) std::abort();  // unmapped twice, or never mapped
  ::operator delete(mapping.base, std::align_val_t(found->second));
  State().mappings.erase(found);
  return Status::Ok();
}

Status AdviseHuge(void*, std::size_t) noexcept { return Call("madvise-huge"); }
Status Populate(void*, std::size_t) noexcept { return Call("populate"); }

Status Discard(void* start, std::size_t size) noexcept {
  const Status status = Call("discard");
  if (status.ok()) std::memset(start, 0, size);
  return status;
}

Status DiscardForeign(void* start, std::size_t size) noexcept {
  const Status status = Call("discard-foreign");
  if (status.ok()) std::memset(start, 0, size);
  return status;
}

Status BindToNode(void*, std::size_t, unsigned) noexcept { return Call("mbind"); }

Status Resident(const void*, std::size_t size, std::uint64_t* bytes) noexcept {
  const Status status = Call("mincore");
  if (status.ok()) *bytes = size;
  return status;
}

std::uint64_t ThreadId() noexcept { return 1; }
int CurrentCpu() noexcept { return 0; }

Status ThreadCpuTime(std::uint64_t* ns) noexcept {
  const Status status = Call("clock_gettime");
  if (status.ok()) *ns = 42;
  return status;
}

Status GetAffinity(std::uint32_t, CpuSet* out) noexcept {
  const Status status = Call("sched_getaffinity");
  if (status.ok()) *out = State().affinity;
  return status;
}

Status SetAffinity(std::uint32_t, const CpuSet& cpus) noexcept {
  if (const Status status = Call("sched_setaffinity"); !status.ok()) return status;
  CpuSet granted;
  bool any = false;
  for (int cpu = 0; cpu < CpuSet::kMaxCpus; ++cpu) {
    if (!cpus.Has(cpu) || !State().online.Has(cpu)) continue;
    granted.Add(cpu);
    any = true;
  }
  if (!any) return Status::Fail(EINVAL, "sched_setaffinity");
  State().affinity = granted;
  return Status::Ok();
}

Status GetProcessAffinity(CpuSet* out) noexcept {
  const Status status = Call("process-affinity");
  if (status.ok()) *out = State().process_affinity;
  return status;
}

Status SetNice(std::uint32_t, int nice) noexcept {
  const Status status = Call("setpriority");
  if (status.ok()) State().nice = nice;
  return status;
}

Status SetThreadName(const char* name) noexcept {
  const Status status = Call("prctl");
  if (status.ok()) State().thread_name = name;
  return status;
}

int ProfilerSignal() noexcept { return 0; }

Status GetProcessUsage(ProcessUsage* out) noexcept {
  const Status status = Call("getrusage");
  if (status.ok()) *out = {1, 2, 3, 4, 5, 6, true};
  return status;
}

Status OpenDescriptors(std::uint64_t* count) noexcept {
  const Status status = Call("descriptors");
  if (status.ok()) *count = 7;
  return status;
}

std::uint64_t TickNs() noexcept { return 10'000'000; }

Status ReadFile(const char* path, char* buffer, std::size_t capacity, std::size_t* length) noexcept {
  const auto found = State().files.find(path);
  if (found == State().files.end()) return Status::Fail(ENOENT, "open");
  if (found->second.size() > capacity) return Status::Fail(ERANGE, "read");
  std::memcpy(buffer, found->second.data(), found->second.size());
  *length = found->second.size();
  return Status::Ok();
}

Status OpenKept(const char* path, int* descriptor) noexcept {
  if (!State().files.contains(path)) return Status::Fail(ENOENT, "open");
  *descriptor = fake::NextDescriptor()++;
  State().kept[*descriptor] = path;
  return Status::Ok();
}

Status ReadKept(int descriptor, char* buffer, std::size_t capacity, std::size_t* length) noexcept {
  if (const Status status = Call("pread"); !status.ok()) return status;
  const std::string_view text = State().files[State().kept.at(descriptor)];
  *length = text.copy(buffer, capacity);
  return Status::Ok();
}

Status ReadAt(int descriptor, std::uint64_t offset, char* buffer, std::size_t capacity, std::size_t* length) noexcept {
  if (const Status status = Call("pread"); !status.ok()) return status;
  const std::string_view text = State().files[State().kept.at(descriptor)];
  *length = offset < text.size() ? text.substr(static_cast<std::size_t>(offset)).copy(buffer, capacity) : 0;
  return Status::Ok();
}

void CloseKept(int descriptor) noexcept {
  if (State().kept.erase(descriptor) != 1) std::abort();  // closed twice, or never open
}

// In pieces of seven bytes: parsers must not rely on whole lines.
Status StreamFile(const char* path, Sink sink, void* context) noexcept {
  const auto found = State().files.find(path);
  if (found == State().files.end()) return Status::Fail(ENOENT, "open");
  const std::string_view text = found->second;
  for (std::size_t at = 0; at < text.size(); at += 7) sink(context, text.substr(at, 7));
  return Status::Ok();
}

Status ListDirectory(const char* path, Entry entry, void* context) noexcept {
  const auto found = State().directories.find(path);
  if (found == State().directories.end()) return Status::Fail(ENOENT, "opendir");
  for (const std::string& name : found->second) entry(context, name.c_str());
  return Status::Ok();
}

Status CounterOpen(const CounterSpec& spec, int* descriptor) noexcept {
  if (const Status status = Call("perf_event_open"); !status.ok()) return status;
  const auto found = State().counters.find({spec.type, spec.config});
  if (found == State().counters.end()) return Status::Fail(ENOENT, "perf_event_open");
  const fake::Counter& counter = found->second;
  int error = counter.error;
  if (!spec.exclude_kernel && counter.error_with_kernel) error = counter.error_with_kernel;
  if (spec.group >= 0 && counter.error_in_group) error = counter.error_in_group;
  if (spec.inherit && counter.error_with_inherit) error = counter.error_with_inherit;
  if (error == 0 && spec.group >= 0 && spec.type != 1 &&
      fake::Groups()[spec.group].size() >= State().hardware_counters) {
    error = EINVAL;
  }
  if (error != 0) return Status::Fail(error, "perf_event_open");
  *descriptor = fake::NextDescriptor()++;
  State().descriptors[*descriptor] = spec;
  fake::Groups()[spec.group >= 0 ? spec.group : *descriptor].push_back(*descriptor);
  return Status::Ok();
}

// Nothing interrupts here: a test calls Take() itself, with the registers that it likes.
Status StartSamples(std::uint64_t, TakeSample, void*) noexcept { return Call("timer_create"); }

void StopSamples() noexcept { State().calls.emplace_back("timer_delete"); }

Status StackBounds(std::uintptr_t* low, std::uintptr_t* high) noexcept {
  if (const Status status = Call("stack-bounds"); !status.ok()) return status;
  *low = State().stack_low;
  *high = State().stack_high;
  return Status::Ok();
}

bool EndsInSystemCall(const unsigned char* before, std::size_t length) noexcept {
  return length > 0 && before[length - 1] == 0x05;
}

bool Demangle(const char*, char*, std::size_t) noexcept { return false; }

std::uint64_t MonotonicNs() noexcept { return State().now_ns += 1'000'000; }

Status CounterEnable(int) noexcept { return Call("enable"); }

Status CounterDisable(int) noexcept { return Call("disable"); }

Status CounterRead(int leader, std::uint64_t* numbers, std::size_t capacity, std::size_t* count) noexcept {
  if (const Status status = Call("read"); !status.ok()) return status;
  const std::vector<int>& members = fake::Groups()[leader];
  if (members.size() + 3 > capacity) return Status::Fail(ERANGE, "read");
  const bool crowded = State().descriptors[leader].type != 1 &&
                       members.size() + State().held_counters > State().hardware_counters;
  numbers[0] = members.size();
  numbers[1] = State().time_enabled;
  numbers[2] = crowded ? 0 : State().time_running;
  std::size_t filled = 3;
  for (const int member : members) {
    const CounterSpec& spec = State().descriptors[member];
    numbers[filled++] = crowded ? 0 : State().counters[{spec.type, spec.config}].value;
  }
  *count = filled - std::min(filled, State().short_read);
  return Status::Ok();
}

void CounterClose(int descriptor) noexcept {
  if (State().descriptors.erase(descriptor) != 1) std::abort();  // closed twice, or never open
  for (auto& [leader, members] : fake::Groups()) std::erase(members, descriptor);
}

Status CounterMap(int descriptor, const void** page) noexcept {
  if (const Status status = Call("counter-mmap"); !status.ok()) return status;
  // Any address does that no other counter has.
  *page = &State().descriptors.at(descriptor);
  State().counter_pages[*page] = descriptor;
  return Status::Ok();
}

void CounterUnmap(const void* page) noexcept {
  if (State().counter_pages.erase(page) != 1) std::abort();  // unmapped twice, or never mapped
}

bool CounterReadUser(const void* page, CounterSample* out) noexcept {
  const CounterSpec& spec = State().descriptors[State().counter_pages.at(page)];
  const fake::Counter& counter = State().counters[{spec.type, spec.config}];
  if (counter.user_value == 0) return false;
  *out = {counter.user_value, State().time_enabled, State().time_running};
  return true;
}

}  // namespace sysopt::os
