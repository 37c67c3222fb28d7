// The only portability seam: every call that the core makes into an operating system.
//
// One implementation is linked in: linux.cc, darwin.cc or windows.cc (the first two share posix.cc), or
// fake.cc, a scripted kernel for tests. Nothing outside this folder includes a system header or tests a
// platform macro.
//
// Conventions
// - No call throws or aborts. Failure is a Status whose error is a POSIX number on every platform.
// - What a platform cannot do at all fails with ENOTSUP; so callers need no platform knowledge.
// - Output parameters are written on success only, unless stated otherwise.
// - Sizes are bytes, times nanoseconds, thread ids the kernel's.
#ifndef SYSOPT_CORE_OS_OS_H_
#define SYSOPT_CORE_OS_OS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../status.h"

namespace sysopt::os {

// ---- Memory -----------------------------------------------------------------------------------------------

// Bytes of an ordinary page. A power of two.
std::size_t PageSize() noexcept;

// Bytes of a transparent huge page, 0 where there are none or the administrator turned them off.
// A power of two, a multiple of PageSize().
std::size_t HugePageSize() noexcept;

// Memory that Map() returned. `start` and `size` are for use, `base` and `length` for Unmap().
struct Mapping {
  void* start = nullptr;
  std::size_t size = 0;
  void* base = nullptr;
  std::size_t length = 0;
};

// Maps `size` bytes of private zeroed memory, readable and writable, `start` a multiple of `alignment`.
// Pre: size > 0, a multiple of PageSize(); alignment a power of two >= PageSize(); their sum does not
// overflow. Post: no page is resident yet where the platform allows that.
Status Map(std::size_t size, std::size_t alignment, Mapping* out) noexcept;

// Unmaps what Map() returned. Once. Failure means a bug in the caller, never a lack of resources that a retry
// would mend.
Status Unmap(const Mapping& mapping) noexcept;

// The calls below take [start, start + size) in whole pages. The memory need not come from Map().

// Asks for huge pages. Success says that the kernel took the advice, not that it gave any.
Status AdviseHuge(void* start, std::size_t size) noexcept;

// Makes every page resident and writable. ENOTSUP where the kernel has no call for it: the caller then
// touches.
Status Populate(void* start, std::size_t size) noexcept;

// Gives the pages back; they read as zeros afterwards. ENOTSUP where that cannot be promised.
Status Discard(void* start, std::size_t size) noexcept;

// As Discard(), for memory that another allocator owns and has in use. ENOTSUP where only its owner may.
Status DiscardForeign(void* start, std::size_t size) noexcept;

// Binds the pages to a NUMA node, those that are present too: they move. ENOSYS or ENOTSUP where the system has no
// nodes, EINVAL for a node that is not there, EIO where a page could not move.
Status BindToNode(void* start, std::size_t size, unsigned node) noexcept;

// Bytes of the range that are in memory now.
Status Resident(const void* start, std::size_t size, std::uint64_t* bytes) noexcept;

// ---- Threads ----------------------------------------------------------------------------------------------

// CPUs by number. Fixed size, so that no call allocates; larger machines get EINVAL from the calls below.
struct CpuSet {
  static constexpr int kMaxCpus = 4096;
  std::uint64_t words[kMaxCpus / 64] = {};

  void Add(int cpu) noexcept { words[cpu / 64] |= std::uint64_t{1} << (cpu % 64); }
  bool Has(int cpu) const noexcept { return (words[cpu / 64] >> (cpu % 64)) & 1; }
  bool operator==(const CpuSet&) const noexcept = default;
};

// Kernel id of the calling thread, 0 where unknown.
std::uint64_t ThreadId() noexcept;

// CPU that the calling thread is on, -1 where unknown. It may be another one by the time that the call returns.
int CurrentCpu() noexcept;

// CPU time that the calling thread has used.
Status ThreadCpuTime(std::uint64_t* ns) noexcept;

// `tid` is a thread of this process, 0 the calling one. ESRCH where it is gone or another process' thread.
Status GetAffinity(std::uint32_t tid, CpuSet* out) noexcept;

// The kernel silently drops CPUs that do not exist; callers that care read the mask back.
Status SetAffinity(std::uint32_t tid, const CpuSet& cpus) noexcept;

// CPUs of the process: those of its first thread now, which later threads get that nobody pinned.
Status GetProcessAffinity(CpuSet* out) noexcept;

// How far a thread gives way to others: 0 not at all to 19. EACCES where it gives way further already and the caller may
// not raise it.
Status SetNice(std::uint32_t tid, int nice) noexcept;

// Names the calling thread. `name` is terminated and at most 15 bytes long.
Status SetThreadName(const char* name) noexcept;

// Number of the signal that sampling profilers interrupt threads with; 0 where they use none.
int ProfilerSignal() noexcept;

// ---- Process ----------------------------------------------------------------------------------------------

struct ProcessUsage {
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  std::uint64_t minor_faults = 0;
  std::uint64_t major_faults = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  // False where the platform reports only times and faults.
  bool has_switches = false;
};

Status GetProcessUsage(ProcessUsage* out) noexcept;

Status OpenDescriptors(std::uint64_t* count) noexcept;

// Nanoseconds of one tick in procfs times. Never 0.
std::uint64_t TickNs() noexcept;

// ---- Files ------------------------------------------------------------------------------------------------

// Reads a whole file in one pass into `buffer`. ERANGE where it is longer than `capacity`.
Status ReadFile(const char* path, char* buffer, std::size_t capacity, std::size_t* length) noexcept;

// Hands a file of any length to `sink` in pieces that end anywhere.
using Sink = void (*)(void* context, std::string_view piece) noexcept;
Status StreamFile(const char* path, Sink sink, void* context) noexcept;

// A file that is read again and again: opened once, closed on exec, read from its beginning each time. What does
// not fit into `capacity` is left out.
Status OpenKept(const char* path, int* descriptor) noexcept;
Status ReadKept(int descriptor, char* buffer, std::size_t capacity, std::size_t* length) noexcept;
void CloseKept(int descriptor) noexcept;

// Reads such a file from `offset` on; `length` is less than `capacity` at its end only.
Status ReadAt(int descriptor, std::uint64_t offset, char* buffer, std::size_t capacity, std::size_t* length) noexcept;

// Calls `entry` for each name in a directory except `.` and `..`, in no particular order.
using Entry = void (*)(void* context, const char* name) noexcept;
Status ListDirectory(const char* path, Entry entry, void* context) noexcept;

// ---- Time -------------------------------------------------------------------------------------------------

// Nanoseconds since an arbitrary origin, never going back.
std::uint64_t MonotonicNs() noexcept;

// ---- Samples of a thread ----------------------------------------------------------------------------------

// Registers of a thread at the instant that a signal stopped it.
struct Interrupted {
  std::uintptr_t pc = 0;
  std::uintptr_t sp = 0;
  std::uintptr_t fp = 0;
};

// Runs in a signal handler on the sampled thread: may call nothing that is not async-signal-safe.
using TakeSample = void (*)(void* context, const Interrupted& at) noexcept;

// Calls `take` on the calling thread each time that it has used `interval_ns` more of its CPU's time; the kernel
// rounds up to its own clock tick. A thread that sleeps is not woken. One at a time in a process: EBUSY for another.
// EBUSY too where the program uses every real-time signal, ENOTSUP where the system has no such clock.
Status StartSamples(std::uint64_t interval_ns, TakeSample take, void* context) noexcept;

// Ends it; `take` is not called again. Pre: StartSamples() succeeded on this same thread.
void StopSamples() noexcept;

// The calling thread's stack, of which all from its stack pointer up to `high` is mapped.
Status StackBounds(std::uintptr_t* low, std::uintptr_t* high) noexcept;

// Whether the bytes before a program counter are this processor's call into the kernel. `length` of them are at hand.
bool EndsInSystemCall(const unsigned char* before, std::size_t length) noexcept;

// Writes the readable form of a linker's name, cut to `capacity` and terminated. False where it has none.
bool Demangle(const char* name, char* out, std::size_t capacity) noexcept;

// ---- Performance counters ---------------------------------------------------------------------------------

// What perf_event_open(2) takes, as far as this library uses it.
struct CounterSpec {
  std::uint32_t type = 0;
  std::uint64_t config = 0;
  std::uint64_t config1 = 0;
  // A thread of this process, 0 for the calling one.
  std::uint32_t tid = 0;
  bool exclude_kernel = true;
  // Also counts threads that the counted thread starts later.
  bool inherit = false;
  // Left stopped until CounterEnable() on its group's leader.
  bool disabled = false;
  // To be read without the kernel, where that has to be asked for at opening (aarch64). No promise.
  bool user_read = false;
  // Descriptor of the group's leader, -1 to lead a group.
  int group = -1;
};

// Opens a counter on a thread, closed on exec. ESRCH for one that is gone. Reads give the group's values with its times.
Status CounterOpen(const CounterSpec& spec, int* descriptor) noexcept;

// Starts or stops a leader and its whole group at the same instant.
Status CounterEnable(int leader) noexcept;
Status CounterDisable(int leader) noexcept;

// Reads a group: count of values, time enabled, time running, then the values, in order of opening. `count` is
// of the numbers that came, which may be fewer. EINTR is passed on. ERANGE where it does not fit into `capacity`
// numbers.
Status CounterRead(int leader, std::uint64_t* numbers, std::size_t capacity, std::size_t* count) noexcept;

void CounterClose(int descriptor) noexcept;

// The page in which the kernel tells how to read a counter without it. ENOTSUP where this processor's counters
// cannot be read so. Unmap once.
Status CounterMap(int descriptor, const void** page) noexcept;
void CounterUnmap(const void* page) noexcept;

struct CounterSample {
  // Without initial values: arrays of these are on a path where clearing them would cost more than reading.
  std::uint64_t value;
  std::uint64_t enabled_ns;
  std::uint64_t running_ns;
};

// Reads a counter of the calling thread from its page, some 20 ns. False, and nothing is written, where the
// kernel does not allow it now, or the counter is not on the processor now. Pre: the calling thread opened it;
// for another thread's counter the processor would give this thread's figures.
bool CounterReadUser(const void* page, CounterSample* out) noexcept;

}  // namespace sysopt::os

#endif  // SYSOPT_CORE_OS_OS_H_
