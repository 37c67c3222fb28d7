// A job whose chunks come in phases: those of one wait for all of those before. Chunks are begun in ascending order, so
// what is waited for runs already, and the wait is short; it needs no thread of its own and cannot lock up.
#ifndef SYSOPT_CORE_KERNELS_PHASED_JOB_H_
#define SYSOPT_CORE_KERNELS_PHASED_JOB_H_

#include <array>
#include <atomic>

#include "../sched/spin.h"
#include "bulk.h"

namespace sysopt::kernels {

template <std::size_t kPhases>
class PhasedJob : public BulkJob {
 public:
  // Chunks of each phase, at least one.
  explicit PhasedJob(const std::array<std::size_t, kPhases>& sizes) : BulkJob(Total(sizes)), sizes_(sizes) {}

  void Run(std::size_t chunk) noexcept final {
    std::size_t phase = 0;
    while (chunk >= sizes_[phase]) chunk -= sizes_[phase++];
    sched::SpinUntil([this, phase] { return ended_.load(std::memory_order_acquire) >= phase; });
    RunPhase(phase, chunk);
    if (done_[phase].fetch_add(1, std::memory_order_acq_rel) + 1 < sizes_[phase]) return;
    EndPhase(phase);
    ended_.store(phase + 1, std::memory_order_release);
  }

  std::vector<double> Result() const override { return {}; }

 protected:
  virtual void RunPhase(std::size_t phase, std::size_t chunk) noexcept = 0;
  // By the thread that ran the phase's last chunk, before any chunk of the next.
  virtual void EndPhase(std::size_t phase) noexcept = 0;

 private:
  static std::size_t Total(const std::array<std::size_t, kPhases>& sizes) {
    std::size_t total = 0;
    for (const std::size_t size : sizes) total += size;
    return total;
  }

  const std::array<std::size_t, kPhases> sizes_;
  std::array<std::atomic<std::size_t>, kPhases> done_ = {};
  std::atomic<std::size_t> ended_{0};  // phases
};

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_PHASED_JOB_H_
