// Running sums of a whole array, on one thread and on several. On several each chunk is read twice: what it adds up to
// first, which makes known where the next one starts, then its running sums on top of what stands before it (decoupled
// look-back, Merrill & Garland 2016, with as many chunks in flight as there are threads). The second time it comes from the
// thread's own cache. The totals are those that the chunk's running sums end with, to the bit, so the result is that of
// one thread.
//
// A thread that works alone knows what stands before its chunk when it begins, and reads it once.
//
// Rejected: the totals of all chunks first, then all running sums. By then the first chunks have left the caches.
#include "bulk.h"

#include "../sched/spin.h"

namespace sysopt::kernels {
namespace {

constexpr std::size_t ChunksOf(std::size_t count) { return (count + kRunningValues - 1) / kRunningValues; }

class RunningSumJob final : public BulkJob {
 public:
  RunningSumJob(const Column& values, double* out)
      : BulkJob(ChunksOf(values.count)), values_(values), out_(out), bases_(ChunksOf(values.count) + 1) {}

  void Run(std::size_t chunk) noexcept override {
    const ArrayKernels& arrays = ActiveArrays();
    const std::size_t at = chunk * kRunningValues;
    const Column values = Slice(values_, at, kRunningValues);
    const bool is_alone = running_.fetch_add(1, std::memory_order_relaxed) == 0;
    if (is_alone && IsKnown(chunk)) {
      const double base = bases_[chunk];
      Publish(chunk, arrays.running_sum(values, base, out_ + at));
    } else {
      const double total = arrays.running_total(values);
      // Chunks are begun in ascending order, so those before it run or have run.
      sched::SpinUntil([this, chunk] { return IsKnown(chunk); });
      const double base = bases_[chunk];
      Publish(chunk, total);
      arrays.running_sum(values, base, out_ + at);
    }
    running_.fetch_sub(1, std::memory_order_relaxed);
  }

  std::vector<double> Result() const override { return {}; }

 private:
  bool IsKnown(std::size_t chunk) const { return known_.load(std::memory_order_acquire) > chunk; }

  // By the thread that runs `chunk`, once its base is known.
  void Publish(std::size_t chunk, double total) {
    bases_[chunk + 1] = bases_[chunk] + total;
    known_.store(chunk + 2, std::memory_order_release);
  }

  const Column values_;
  double* const out_;
  std::vector<double> bases_;  // what stands before each chunk; written by the thread that runs the chunk before
  std::atomic<std::size_t> known_{1};  // how many of them
  std::atomic<unsigned> running_{0};   // threads that run a chunk
};

}  // namespace

double RunningSums(const ArrayKernels& arrays, const Column& values, double* out) {
  double base = 0;
  for (std::size_t at = 0; at < values.count; at += kRunningValues) {
    base = base + arrays.running_sum(Slice(values, at, kRunningValues), base, out + at);
  }
  return base;
}

std::shared_ptr<BulkJob> MakeRunningSumJob(const Column& values, double* out) {
  return std::make_shared<RunningSumJob>(values, out);
}

}  // namespace sysopt::kernels
