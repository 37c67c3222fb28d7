#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "os.h"

namespace sysopt::os {

// macOS has superpages on Intel only, and only by an allocation flag that newer systems refuse.
std::size_t HugePageSize() noexcept { return 0; }
Status AdviseHuge(void*, std::size_t) noexcept { return Status::Fail(ENOTSUP, "madvise"); }
Status Populate(void*, std::size_t) noexcept { return Status::Fail(ENOTSUP, "madvise"); }

// Mapping afresh over the range is the one way here that promises zeros: MADV_FREE keeps old contents until
// the system needs the page.
Status Discard(void* start, std::size_t size) noexcept {
  void* const fresh = mmap(start, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0);
  return fresh == start ? Status::Ok() : Status::Fail(errno, "mmap");
}

Status DiscardForeign(void*, std::size_t) noexcept { return Status::Fail(ENOTSUP, "madvise"); }

// One node on every Mac.
Status BindToNode(void*, std::size_t, unsigned) noexcept { return Status::Fail(ENOTSUP, "mbind"); }

std::uint64_t ThreadId() noexcept {
  std::uint64_t id = 0;
  return pthread_threadid_np(nullptr, &id) == 0 ? id : 0;
}

int CurrentCpu() noexcept { return -1; }

// macOS has affinity tags as a hint to its scheduler, no masks.
Status GetAffinity(std::uint32_t, CpuSet*) noexcept { return Status::Fail(ENOTSUP, "sched_getaffinity"); }
Status SetAffinity(std::uint32_t, const CpuSet&) noexcept {
  return Status::Fail(ENOTSUP, "sched_setaffinity");
}

Status GetProcessAffinity(CpuSet*) noexcept { return Status::Fail(ENOTSUP, "sched_getaffinity"); }

// There it is of the whole process; threads have service classes instead, which are promises about latency.
Status SetNice(std::uint32_t, int) noexcept { return Status::Fail(ENOTSUP, "setpriority"); }

Status SetThreadName(const char* name) noexcept {
  const int error = pthread_setname_np(name);
  return error == 0 ? Status::Ok() : Status::Fail(error, "pthread_setname_np");
}

Status OpenDescriptors(std::uint64_t* count) noexcept {
  std::uint64_t listed = 0;
  const Status status = ListDirectory(
      "/dev/fd", [](void* context, const char*) noexcept { ++*static_cast<std::uint64_t*>(context); },
      &listed);
  if (!status.ok()) return status;
  *count = listed > 0 ? listed - 1 : 0;  // without the one that listed
  return Status::Ok();
}

// macOS and Windows have no timer on a thread's CPU clock.
Status StartSamples(std::uint64_t, TakeSample, void*) noexcept { return Status::Fail(ENOTSUP, "timer_create"); }
void StopSamples() noexcept {}
Status StackBounds(std::uintptr_t*, std::uintptr_t*) noexcept { return Status::Fail(ENOTSUP, "pthread_getattr_np"); }
bool EndsInSystemCall(const unsigned char*, std::size_t) noexcept { return false; }
bool Demangle(const char*, char*, std::size_t) noexcept { return false; }

Status CounterOpen(const CounterSpec&, int*) noexcept { return Status::Fail(ENOTSUP, "perf_event_open"); }
Status CounterEnable(int) noexcept { return Status::Fail(ENOTSUP, "ioctl"); }
Status CounterDisable(int) noexcept { return Status::Fail(ENOTSUP, "ioctl"); }
Status CounterRead(int, std::uint64_t*, std::size_t, std::size_t*) noexcept {
  return Status::Fail(ENOTSUP, "read");
}
void CounterClose(int) noexcept {}
Status CounterMap(int, const void**) noexcept { return Status::Fail(ENOTSUP, "mmap"); }
void CounterUnmap(const void*) noexcept {}
bool CounterReadUser(const void*, CounterSample*) noexcept { return false; }

}  // namespace sysopt::os
