#include "thread.h"

#include <atomic>
#include <cerrno>

namespace sysopt::sched {
namespace {

std::atomic<unsigned> compute_threads{0};

}  // namespace

unsigned ComputeThreads() noexcept { return compute_threads.load(std::memory_order_relaxed); }

void ComputeThread::Count() noexcept {
  if (is_counted_) return;
  is_counted_ = true;
  compute_threads.fetch_add(1, std::memory_order_relaxed);
}

ComputeThread::~ComputeThread() {
  if (is_counted_) compute_threads.fetch_sub(1, std::memory_order_relaxed);
}

// The kernel intersects the mask with what exists and is allowed, and reports success. A thread that was
// asked onto CPUs 0 and 9 would then silently run on CPU 0 alone; so the mask is read back.
Status PinThread(std::uint32_t tid, const os::CpuSet& cpus) noexcept {
  os::CpuSet before;
  if (const Status status = os::GetAffinity(tid, &before); !status.ok()) return status;
  if (const Status status = os::SetAffinity(tid, cpus); !status.ok()) return status;
  os::CpuSet granted;
  if (const Status status = os::GetAffinity(tid, &granted); !status.ok()) return status;
  if (granted == cpus) return Status::Ok();
  static_cast<void>(os::SetAffinity(tid, before));  // it was in force a moment ago
  return Status::Fail(EINVAL, "sched_setaffinity", "a CPU in the list does not exist or is not allowed here");
}

const os::CpuSet* ProcessCpus() noexcept {
  struct Remembered {
    Remembered() noexcept { is_known = os::GetProcessAffinity(&cpus).ok(); }
    os::CpuSet cpus;
    bool is_known = false;
  };
  static const Remembered remembered;
  return remembered.is_known ? &remembered.cpus : nullptr;
}

Status UseProcessCpus() noexcept {
  const os::CpuSet* const cpus = ProcessCpus();
  if (cpus == nullptr) return Status::Fail(ENOTSUP, "sched_getaffinity");
  return os::SetAffinity(0, *cpus);
}

bool KeptOff::Begin(std::uint32_t tid, const os::CpuSet& known) noexcept {
  End();
  const int cpu = os::CurrentCpu();
  os::CpuSet others = known;
  if (cpu < 0 || cpu >= os::CpuSet::kMaxCpus) return false;
  others.words[cpu / 64] &= ~(std::uint64_t{1} << (cpu % 64));
  os::CpuSet allowed;
  if (others == os::CpuSet() || !os::GetAffinity(tid, &allowed).ok() || !(allowed == known)) return false;
  if (!os::SetAffinity(tid, others).ok()) return false;
  known_ = known;
  tid_ = tid;
  has_begun_ = true;
  return true;
}

void KeptOff::End() noexcept {
  if (!has_begun_) return;
  has_begun_ = false;
  static_cast<void>(os::SetAffinity(tid_, known_));  // refused where the thread has ended meanwhile
}

Status NameThread(std::string_view name) noexcept {
  constexpr std::size_t kMaxLength = 15;
  std::size_t length = name.size() < kMaxLength ? name.size() : kMaxLength;
  // 10xxxxxx continues a UTF-8 character.
  while (length > 0 && length < name.size() && (static_cast<unsigned char>(name[length]) & 0xC0) == 0x80) {
    --length;
  }
  char terminated[kMaxLength + 1] = {};
  name.copy(terminated, length);
  return os::SetThreadName(terminated);
}

}  // namespace sysopt::sched
