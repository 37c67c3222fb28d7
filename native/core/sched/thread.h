// Affinity, clocks and names of this process' threads.
#ifndef SYSOPT_CORE_SCHED_THREAD_H_
#define SYSOPT_CORE_SCHED_THREAD_H_

#include <cstdint>
#include <string_view>

#include "../os/os.h"
#include "../status.h"

namespace sysopt::sched {

// Pins a thread to exactly these CPUs, or leaves its mask as it was. EINVAL for a CPU that does not exist or
// that the container does not allow, and for an empty set.
Status PinThread(std::uint32_t tid, const os::CpuSet& cpus) noexcept;

// The CPUs that the process had when this was first asked, which the addon does as it is loaded; null where the system
// does not tell. Kept, because a thread starts with the mask of the thread that made it: one started from a pinned
// thread would stay on that thread's CPU for good.
const os::CpuSet* ProcessCpus() noexcept;

// Lets the calling thread run on all of them. Where that is refused (a cpuset that has none of them left) its mask stays
// as it was.
Status UseProcessCpus() noexcept;

// Keeps a thread off the CPU that the caller is on, from Begin() until End(): who wakes it meanwhile wakes it elsewhere.
// Only a thread that may run on exactly the CPUs it is known to have: any other mask is somebody's doing (taskset), or a
// cpuset's for now, and giving that back would make it last when the cpuset grows again.
class KeptOff {
 public:
  KeptOff() = default;
  ~KeptOff() { End(); }
  KeptOff(const KeptOff&) = delete;
  KeptOff& operator=(const KeptOff&) = delete;

  // Ends what was begun before. False, and nothing is changed, where the thread is gone, has another mask, may run
  // nowhere else, or the system cannot.
  bool Begin(std::uint32_t tid, const os::CpuSet& known) noexcept;

  // Gives the thread the mask that it had.
  void End() noexcept;

 private:
  os::CpuSet known_;
  std::uint32_t tid_ = 0;
  bool has_begun_ = false;
};

// Threads of this library's pools that live in the process, whichever thread made their pool. Counted here because each
// JavaScript thread has globals of its own.
unsigned ComputeThreads() noexcept;

// One thread's part of that count: from Count() until it is destroyed.
class ComputeThread {
 public:
  ComputeThread() = default;
  ~ComputeThread();
  ComputeThread(const ComputeThread&) = delete;
  ComputeThread& operator=(const ComputeThread&) = delete;
  void Count() noexcept;

 private:
  bool is_counted_ = false;
};

// Names the calling thread, cut at the kernel's 15 bytes between two characters, not inside one.
Status NameThread(std::string_view name) noexcept;

}  // namespace sysopt::sched

#endif  // SYSOPT_CORE_SCHED_THREAD_H_
