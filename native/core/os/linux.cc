#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <linux/stat.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "os.h"

// Values of newer kernel headers than a build machine may have.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace sysopt::os {

std::size_t HugePageSize() noexcept {
  char text[64];
  std::size_t length = 0;
  // `always [madvise] never`: the brackets mark the policy in force.
  if (!ReadFile("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text, &length).ok()) return 0;
  if (std::string_view(text, length).find("[never]") != std::string_view::npos) return 0;
  if (!ReadFile("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", text, sizeof text - 1, &length).ok()) {
    return 0;
  }
  text[length] = '\0';
  const unsigned long long size = std::strtoull(text, nullptr, 10);
  const bool plausible = size > PageSize() && (size & (size - 1)) == 0 && size <= (1ull << 30);
  return plausible ? static_cast<std::size_t>(size) : 0;
}

Status AdviseHuge(void* start, std::size_t size) noexcept {
  return madvise(start, size, MADV_HUGEPAGE) == 0 ? Status::Ok() : Status::Fail(errno, "madvise");
}

Status Populate(void* start, std::size_t size) noexcept {
  int failed;
  do {
    failed = madvise(start, size, MADV_POPULATE_WRITE);
  } while (failed && errno == EINTR);
  if (!failed) return Status::Ok();
  // Before Linux 5.14 the advice is unknown, and says so with EINVAL.
  return Status::Fail(errno == EINVAL ? ENOTSUP : errno, "madvise");
}

Status Discard(void* start, std::size_t size) noexcept {
  return madvise(start, size, MADV_DONTNEED) == 0 ? Status::Ok() : Status::Fail(errno, "madvise");
}

Status DiscardForeign(void* start, std::size_t size) noexcept { return Discard(start, size); }

// The raw call: libnuma would be a dependency for one system call.
Status BindToNode(void* start, std::size_t size, unsigned node) noexcept {
  constexpr unsigned kBits = 8 * sizeof(unsigned long);
  constexpr unsigned kMaxNodes = 1024;
  unsigned long nodes[kMaxNodes / kBits] = {};
  if (node >= kMaxNodes) return Status::Fail(EINVAL, "mbind", "there is no such node");
  nodes[node / kBits] = 1ul << (node % kBits);
  // The kernel reads one bit less than it is told.
  if (syscall(SYS_mbind, start, size, MPOL_BIND, nodes, kMaxNodes + 1ul, MPOL_MF_MOVE | MPOL_MF_STRICT) == 0) {
    return Status::Ok();
  }
  return Status::Fail(errno, "mbind");
}

std::uint64_t ThreadId() noexcept { return static_cast<std::uint64_t>(syscall(SYS_gettid)); }

int CurrentCpu() noexcept { return sched_getcpu(); }

namespace {

// The affinity calls reach other processes' threads too; this library never should.
Status OwnThread(std::uint32_t tid) noexcept {
  if (tid == 0) return Status::Ok();
  return syscall(SYS_tgkill, getpid(), static_cast<pid_t>(tid), 0) == 0 ? Status::Ok()
                                                                        : Status::Fail(ESRCH, "tgkill");
}

}  // namespace

// Raw calls: the kernel's mask may be longer than glibc's cpu_set_t, and musl's differs.
Status GetAffinity(std::uint32_t tid, CpuSet* out) noexcept {
  if (const Status own = OwnThread(tid); !own.ok()) return own;
  CpuSet cpus;
  if (syscall(SYS_sched_getaffinity, static_cast<pid_t>(tid), sizeof cpus.words, cpus.words) < 0) {
    return Status::Fail(errno, "sched_getaffinity");
  }
  *out = cpus;
  return Status::Ok();
}

Status SetAffinity(std::uint32_t tid, const CpuSet& cpus) noexcept {
  if (const Status own = OwnThread(tid); !own.ok()) return own;
  if (syscall(SYS_sched_setaffinity, static_cast<pid_t>(tid), sizeof cpus.words, cpus.words) < 0) {
    return Status::Fail(errno, "sched_setaffinity");
  }
  return Status::Ok();
}

// The kernel has masks for threads alone. The first thread's id is the process', and nothing here ever pins it.
Status GetProcessAffinity(CpuSet* out) noexcept { return GetAffinity(static_cast<std::uint32_t>(getpid()), out); }

// Of one thread: Linux keeps it for each, whatever POSIX says of processes.
Status SetNice(std::uint32_t tid, int nice) noexcept {
  if (const Status own = OwnThread(tid); !own.ok()) return own;
  return setpriority(PRIO_PROCESS, tid, nice) == 0 ? Status::Ok() : Status::Fail(errno, "setpriority");
}

Status SetThreadName(const char* name) noexcept {
  return prctl(PR_SET_NAME, name) == 0 ? Status::Ok() : Status::Fail(errno, "prctl");
}

Status OpenDescriptors(std::uint64_t* count) noexcept {
  // Since Linux 6.2 the size of the directory is the number of descriptors, without listing it. By number,
  // because the symbol `stat` ties the binary to the glibc that it was built with.
  struct statx directory;
  if (syscall(SYS_statx, AT_FDCWD, "/proc/self/fd", 0, STATX_SIZE, &directory) == 0 &&
      directory.stx_size > 0) {
    *count = directory.stx_size;
    return Status::Ok();
  }
  std::uint64_t listed = 0;
  const Status status = ListDirectory(
      "/proc/self/fd", [](void* context, const char*) noexcept { ++*static_cast<std::uint64_t*>(context); },
      &listed);
  if (!status.ok()) return status;
  *count = listed > 0 ? listed - 1 : 0;  // without the one that listed
  return Status::Ok();
}

}  // namespace sysopt::os
