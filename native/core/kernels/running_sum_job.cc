// Running sums on several threads: what each chunk adds up to first, then each chunk on top of the chunks before. The
// totals are those that the chunk's own running sums end with, to the bit, so the result is that of one thread.
//
// Adding up takes less than half as long as writing running sums. So that nobody adds up what it could have written, one
// chunk of the first phase is the running sums of the array's first part, as long as adding up the rest takes.
#include "phased_job.h"

namespace sysopt::kernels {
namespace {

constexpr std::size_t ChunksOf(std::size_t count) { return (count + kChunkValues - 1) / kChunkValues; }

// Chunks of the first part. Adding up is taken for 0.4 of the work of running sums.
std::size_t FirstPart(std::size_t chunks, unsigned threads) {
  const std::size_t part = chunks * 4 / (4 + 10 * (threads > 1 ? threads - 1 : 1));
  return part > 0 ? part : 1;
}

class RunningSumJob final : public PhasedJob<2> {
 public:
  // More than one chunk.
  RunningSumJob(const Column& values, double* out, std::size_t first)
      : PhasedJob({ChunksOf(values.count) - first, ChunksOf(values.count) - first}),
        values_(values),
        out_(out),
        first_(first),
        bases_(ChunksOf(values.count)) {}

 private:
  void RunPhase(std::size_t phase, std::size_t chunk) noexcept override {
    const ArrayKernels& arrays = ActiveArrays();
    if (phase == 1) {
      const std::size_t at = (first_ + chunk) * kChunkValues;
      arrays.running_sum(Slice(values_, at, kChunkValues), bases_[first_ + chunk], out_ + at);
    } else if (chunk == 0) {
      // bases_[k + 1] holds what chunk k adds up to until the phase ends; here it is the sum of all so far at once.
      bases_[first_] = RunningSums(arrays, Slice(values_, 0, first_ * kChunkValues), out_);
    } else {  // what the last chunk adds up to is of no use
      bases_[first_ + chunk] = arrays.running_total(Slice(values_, (first_ + chunk - 1) * kChunkValues, kChunkValues));
    }
  }

  void EndPhase(std::size_t phase) noexcept override {
    if (phase == 1) return;
    for (std::size_t k = first_ + 1; k < bases_.size(); ++k) bases_[k] = bases_[k - 1] + bases_[k];
  }

  const Column values_;
  double* const out_;
  const std::size_t first_;
  std::vector<double> bases_;  // what stands before each chunk
};

// A single chunk.
class ShortRunningSumJob final : public BulkJob {
 public:
  ShortRunningSumJob(const Column& values, double* out)
      : BulkJob(values.count > 0 ? 1 : 0), values_(values), out_(out) {}
  void Run(std::size_t) noexcept override { RunningSums(ActiveArrays(), values_, out_); }
  std::vector<double> Result() const override { return {}; }

 private:
  const Column values_;
  double* const out_;
};

}  // namespace

double RunningSums(const ArrayKernels& arrays, const Column& values, double* out) {
  double base = 0;
  for (std::size_t at = 0; at < values.count; at += kChunkValues) {
    base = base + arrays.running_sum(Slice(values, at, kChunkValues), base, out + at);
  }
  return base;
}

std::shared_ptr<BulkJob> MakeRunningSumJob(const Column& values, double* out, unsigned threads) {
  const std::size_t chunks = ChunksOf(values.count);
  if (chunks < 2) return std::make_shared<ShortRunningSumJob>(values, out);
  return std::make_shared<RunningSumJob>(values, out, FirstPart(chunks, threads));
}

}  // namespace sysopt::kernels
