// What spans a whole array: the order in which the results of blocks are joined, and the same work cut into chunks for
// several threads. A chunk is a whole number of blocks and a power of two of them, and blocks are joined as a balanced
// tree, so one thread and many give the same bits.
#ifndef SYSOPT_CORE_KERNELS_BULK_H_
#define SYSOPT_CORE_KERNELS_BULK_H_

#include <memory>
#include <vector>

#include "../sched/pool.h"
#include "arrays.h"

namespace sysopt::kernels {

inline constexpr std::size_t kBlockValues = std::size_t{1} << 14;
inline constexpr std::size_t kChunkValues = std::size_t{1} << 16;
// Of running sums, which read a chunk twice: it stays in a small second-level cache beside what they write.
inline constexpr std::size_t kRunningValues = std::size_t{1} << 14;

enum class Bulk : std::uint8_t { kSum, kSumCompensated, kMin, kMax, kMoments, kArgMin, kArgMax, kDot };
inline constexpr std::size_t kBulks = 8;

// Of one block, one chunk or the whole. kSum, kMin, kMax, kDot: `a`, or `whole` for sums of integers.
// kSumCompensated: sum and error. kMoments: count, mean and m2. kArgMin, kArgMax: value, index, and 1 in `c` for NaN.
struct Partial {
  double a = 0;
  double b = 0;
  double c = 0;
  std::int64_t whole = 0;
};

// A table of each kind, so that tests can run every instruction set.
struct Tables {
  const Kernels& columns;
  const ArrayKernels& arrays;
};
inline Tables ActiveTables() { return {Active(), ActiveArrays()}; }

// Values `start` to `start + count` of a contiguous column.
Column Slice(const Column& column, std::size_t start, std::size_t count);

// Of a chunk that begins at value `start` of the whole and has at least one value. `other` is for kDot.
Partial RunBulk(const Tables& tables, Bulk operation, const Column& values, const Column& other, std::size_t start);
// Of neighbours.
Partial JoinBulk(Bulk operation, const Partial& left, const Partial& right);
// One thread. Three numbers into `out`: the result, or the parts that Partial names.
void ReduceArray(const Tables& tables, Bulk operation, const Column& values, const Column& other, double* out);
// The numbers of a joined result.
void FinishBulk(Bulk operation, const Column& values, const Partial& all, double* out);

// sums[g] and counts[g] of all values, by chunks of kChunkValues where groups are split, else in order. `entries` has
// room for groups * 4 where groups <= kSplitGroups, else for groups. Returns the first bad key's place, or the count.
std::size_t GroupSumArray(const Column& keys, const Column& values, std::size_t groups, GroupEntry* entries,
                          double* sums, double* counts);

// Running sums of a whole array: each 2^14 values by themselves, on top of those before. Returns the last.
double RunningSums(const ArrayKernels& arrays, const Column& values, double* out);

// A kernel cut into chunks. Keeps its result until it is read; does not keep the memory it works on.
class BulkJob : public sched::Job {
 public:
  using Job::Job;
  // After the last chunk, on any thread: as many numbers as the operation has.
  virtual std::vector<double> Result() const = 0;
  // Set where the arguments turned out wrong: the index of a key that is no group.
  static constexpr std::size_t kNone = ~std::size_t{0};
  virtual std::size_t BadKey() const { return kNone; }
  virtual bool HasKeys() const { return false; }
};

std::shared_ptr<BulkJob> MakeReduceJob(Bulk operation, const Column& values, const Column& other);
std::shared_ptr<BulkJob> MakeScaleJob(double a, Element element, void* x, std::size_t count);
std::shared_ptr<BulkJob> MakeAxpyJob(double a, Element element, const void* x, void* y, std::size_t count);
std::shared_ptr<BulkJob> MakeHistogramJob(const Column& values, const Bins& bins);
// groups <= kSplitGroups.
std::shared_ptr<BulkJob> MakeGroupSumJob(const Column& keys, const Column& values, std::size_t groups);

std::shared_ptr<BulkJob> MakeRunningSumJob(const Column& values, double* out);
// Sorts the values, or where there are `indices`, those. Null where there is no memory to work in. `threads` is a guess of
// how many will work on it; the result does not depend on it.
std::shared_ptr<BulkJob> MakeSortJob(Element element, void* values, std::size_t count, std::uint32_t* indices,
                                     unsigned threads);

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_BULK_H_
