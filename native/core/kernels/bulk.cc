#include "bulk.h"

#include <algorithm>
#include <cmath>

namespace sysopt::kernels {
namespace {

bool IsFloat(Element element) { return element == Element::kF32 || element == Element::kF64; }

// Tables that threads write to at the same time stand at least this far apart: lines that two of them write to would
// wander between their CPUs with every value. Two lines: some CPUs fetch them in pairs.
constexpr std::size_t kLineBytes = 128;

std::size_t ChunksOf(std::size_t count) { return (count + kChunkValues - 1) / kChunkValues; }

// Joins equals first, like the carries of a binary counter: a balanced tree, without memory for its leaves.
class Tree {
 public:
  explicit Tree(Bulk operation) : operation_(operation) {}

  void Add(Partial partial) {
    std::size_t level = 0;
    for (; (added_ >> level) & 1; ++level) partial = JoinBulk(operation_, levels_[level], partial);
    levels_[level] = partial;
    ++added_;
  }

  // At least one was added.
  Partial Total() const {
    std::size_t level = 0;
    while (!((added_ >> level) & 1)) ++level;
    Partial total = levels_[level];
    for (++level; (added_ >> level) != 0; ++level) {
      if ((added_ >> level) & 1) total = JoinBulk(operation_, levels_[level], total);
    }
    return total;
  }

 private:
  const Bulk operation_;
  std::size_t added_ = 0;
  Partial levels_[32];
};

double ValueAt(const Column& column, std::size_t i) {
  switch (column.element) {
    case Element::kU8:
      return static_cast<const std::uint8_t*>(column.data)[i];
    case Element::kI8:
      return static_cast<const std::int8_t*>(column.data)[i];
    case Element::kU16:
      return static_cast<const std::uint16_t*>(column.data)[i];
    case Element::kI16:
      return static_cast<const std::int16_t*>(column.data)[i];
    case Element::kU32:
      return static_cast<const std::uint32_t*>(column.data)[i];
    case Element::kI32:
      return static_cast<const std::int32_t*>(column.data)[i];
    case Element::kF32:
      return static_cast<double>(static_cast<const float*>(column.data)[i]);
    default:
      return static_cast<const double*>(column.data)[i];
  }
}

// Minima of blocks in vectors, then a look for the place in the one block that has it.
Partial ArgExtreme(const Tables& tables, bool is_min, const Column& values, std::size_t start) {
  const Reduction reduction = is_min ? Reduction::kMin : Reduction::kMax;
  Partial best;
  std::size_t in = 0;
  for (std::size_t at = 0; at < values.count; at += kMomentValues) {
    const Column block = Slice(values, at, kMomentValues);
    const double value = tables.columns.reduce(reduction, block);
    if (value != value) {
      best.a = value;
      best.c = 1;
      in = at;
      break;
    }
    if (at == 0 || (is_min ? value < best.a : value > best.a)) {
      best.a = value;
      in = at;
    }
  }
  const Column block = Slice(values, in, kMomentValues);
  std::size_t place = 0;
  for (; place + 1 < block.count; ++place) {  // the last one stands even if another thread has changed the values
    const double value = ValueAt(block, place);
    if (best.c != 0 ? value != value : value == best.a) break;
  }
  best.b = static_cast<double>(start + in + place);
  return best;
}

}  // namespace

Column Slice(const Column& column, std::size_t start, std::size_t count) {
  Column slice = column;
  slice.data = static_cast<const std::byte*>(column.data) + start * ElementBytes(column.element);
  slice.count = column.count - start < count ? column.count - start : count;
  return slice;
}

Partial JoinBulk(Bulk operation, const Partial& left, const Partial& right) {
  Partial joined;
  switch (operation) {
    case Bulk::kSum:
    case Bulk::kDot:
      joined.a = left.a + right.a;
      joined.whole = left.whole + right.whole;
      return joined;
    case Bulk::kSumCompensated: {
      joined.a = left.a + right.a;
      const double rest = joined.a - left.a;
      joined.b = (left.b + right.b) + ((left.a - (joined.a - rest)) + (right.a - rest));
      return joined;
    }
    case Bulk::kMoments: {  // Chan, Golub and LeVeque
      joined.a = left.a + right.a;
      const double delta = right.b - left.b;
      joined.b = left.b + delta * (right.a / joined.a);
      joined.c = (left.c + right.c) + delta * delta * (left.a * (right.a / joined.a));
      return joined;
    }
    case Bulk::kMin:
    case Bulk::kArgMin:
      if (left.a != left.a) return left;
      return right.a < left.a || right.a != right.a ? right : left;
    default:
      if (left.a != left.a) return left;
      return right.a > left.a || right.a != right.a ? right : left;
  }
}

Partial RunBulk(const Tables& tables, Bulk operation, const Column& values, const Column& other, std::size_t start) {
  Partial partial;
  switch (operation) {
    case Bulk::kMin:
      partial.a = tables.columns.reduce(Reduction::kMin, values);
      return partial;
    case Bulk::kMax:
      partial.a = tables.columns.reduce(Reduction::kMax, values);
      return partial;
    case Bulk::kArgMin:
    case Bulk::kArgMax:
      return ArgExtreme(tables, operation == Bulk::kArgMin, values, start);
    default:
      break;
  }
  const bool is_integer = operation == Bulk::kSum && !IsFloat(values.element);
  const std::size_t block = operation == Bulk::kMoments ? kMomentValues : kBlockValues;
  Tree tree(operation);
  for (std::size_t at = 0; at < values.count; at += block) {
    const Column slice = Slice(values, at, block);
    Partial one;
    switch (operation) {
      case Bulk::kSum: {
        const double sum = tables.columns.reduce(Reduction::kSum, slice);
        if (is_integer) {
          one.whole = static_cast<std::int64_t>(sum);  // exact: 2^14 values of 32 bits
        } else {
          one.a = sum;
        }
        break;
      }
      case Bulk::kSumCompensated: {
        const Compensated sum = tables.arrays.sum_compensated(slice);
        one.a = sum.sum;
        one.b = sum.error;
        break;
      }
      case Bulk::kMoments: {
        const Moments moments = tables.arrays.moments(slice);
        one.a = moments.count;
        one.b = moments.mean;
        one.c = moments.m2;
        break;
      }
      default:
        one.a = tables.columns.dot(slice, Slice(other, at, block));
    }
    tree.Add(one);
  }
  return tree.Total();
}

void FinishBulk(Bulk operation, const Column& values, const Partial& all, double* out) {
  out[0] = all.a;
  out[1] = all.b;
  out[2] = all.c;
  if (operation == Bulk::kSum && !IsFloat(values.element)) out[0] = static_cast<double>(all.whole);
  // An infinite sum has no error worth adding: what TwoSum made of it is NaN.
  if (operation == Bulk::kSumCompensated && std::isfinite(all.a)) out[0] = all.a + all.b;
}

void ReduceArray(const Tables& tables, Bulk operation, const Column& values, const Column& other, double* out) {
  if (values.count == 0) {
    out[0] = operation == Bulk::kMin ? HUGE_VAL : operation == Bulk::kMax ? -HUGE_VAL : 0;
    out[1] = operation == Bulk::kArgMin || operation == Bulk::kArgMax ? -1 : 0;
    out[2] = 0;
    return;
  }
  Tree tree(operation);
  for (std::size_t at = 0; at < values.count; at += kChunkValues) {
    const Column second = operation == Bulk::kDot ? Slice(other, at, kChunkValues) : other;
    tree.Add(RunBulk(tables, operation, Slice(values, at, kChunkValues), second, at));
  }
  FinishBulk(operation, values, tree.Total(), out);
}

namespace {

// Adds the four entries of each group to the sums.
void Gather(const GroupEntry* entries, std::size_t groups, double* sums, double* counts) {
  for (std::size_t group = 0; group < groups; ++group) {
    const GroupEntry* const of = entries + 4 * group;
    sums[group] += (of[0].sum + of[1].sum) + (of[2].sum + of[3].sum);
    counts[group] += (of[0].count + of[1].count) + (of[2].count + of[3].count);
  }
}

}  // namespace

std::size_t GroupSumArray(const Column& keys, const Column& values, std::size_t groups, GroupEntry* entries,
                          double* sums, double* counts) {
  for (std::size_t group = 0; group < groups; ++group) sums[group] = counts[group] = 0;
  if (groups > kSplitGroups) {
    const std::size_t done = GroupSum(keys, values, groups, entries);
    for (std::size_t group = 0; group < groups; ++group) {
      sums[group] = entries[group].sum;
      counts[group] = entries[group].count;
    }
    return done;
  }
  for (std::size_t at = 0; at < keys.count; at += kChunkValues) {
    const Column some = Slice(keys, at, kChunkValues);
    const std::size_t done = GroupSum(some, Slice(values, at, kChunkValues), groups, entries);
    if (done < some.count) return at + done;
    Gather(entries, groups, sums, counts);
    std::fill(entries, entries + 4 * groups, GroupEntry{});
  }
  return keys.count;
}

namespace {

class ReduceJob final : public BulkJob {
 public:
  ReduceJob(Bulk operation, const Column& values, const Column& other)
      : BulkJob(ChunksOf(values.count)),
        operation_(operation),
        values_(values),
        other_(other),
        partials_(ChunksOf(values.count)) {}

  void Run(std::size_t chunk) noexcept override {
    const std::size_t at = chunk * kChunkValues;
    const Column second = operation_ == Bulk::kDot ? Slice(other_, at, kChunkValues) : other_;
    partials_[chunk] = RunBulk(ActiveTables(), operation_, Slice(values_, at, kChunkValues), second, at);
  }

  std::vector<double> Result() const override {
    std::vector<double> out(3);
    if (partials_.empty()) {
      ReduceArray(ActiveTables(), operation_, values_, other_, out.data());
      return out;
    }
    Tree tree(operation_);
    for (const Partial& partial : partials_) tree.Add(partial);
    FinishBulk(operation_, values_, tree.Total(), out.data());
    return out;
  }

 private:
  const Bulk operation_;
  const Column values_;
  const Column other_;
  std::vector<Partial> partials_;
};

// y += a * x, or where there is no x, y *= a.
class UpdateJob final : public BulkJob {
 public:
  UpdateJob(double a, Element element, const void* x, void* y, std::size_t count)
      : BulkJob(ChunksOf(count)), a_(a), element_(element), x_(x), y_(y), count_(count) {}

  void Run(std::size_t chunk) noexcept override {
    const std::size_t at = chunk * kChunkValues;
    const std::size_t offset = at * ElementBytes(element_);
    const std::size_t count = count_ - at < kChunkValues ? count_ - at : kChunkValues;
    void* const y = static_cast<std::byte*>(y_) + offset;
    if (x_) {
      ActiveArrays().axpy(element_, a_, static_cast<const std::byte*>(x_) + offset, y, count);
    } else {
      ActiveArrays().scale(element_, a_, y, count);
    }
  }

  std::vector<double> Result() const override { return {}; }

 private:
  const double a_;
  const Element element_;
  const void* const x_;
  void* const y_;
  const std::size_t count_;
};

class HistogramJob final : public BulkJob {
 public:
  HistogramJob(const Column& values, const Bins& bins)
      : BulkJob(ChunksOf(values.count)),
        values_(values),
        bins_(bins),
        width_(bins.bins + kOutsideBins),
        stride_(width_ + kLineBytes / sizeof(std::uint32_t)),
        slots_(ChunksOf(values.count) * stride_) {}

  void Run(std::size_t chunk) noexcept override {
    ActiveArrays().histogram(Slice(values_, chunk * kChunkValues, kChunkValues), bins_, slots_.data() + chunk * stride_);
  }

  std::vector<double> Result() const override {
    std::vector<double> out(width_);
    for (std::size_t start = 0; start < slots_.size(); start += stride_) {
      for (std::size_t k = 0; k < width_; ++k) out[k] += slots_[start + k];
    }
    return out;
  }

 private:
  const Column values_;
  const Bins bins_;
  const std::size_t width_;
  const std::size_t stride_;
  std::vector<std::uint32_t> slots_;
};

class GroupSumJob final : public BulkJob {
 public:
  GroupSumJob(const Column& keys, const Column& values, std::size_t groups)
      : BulkJob(ChunksOf(keys.count)),
        keys_(keys),
        values_(values),
        groups_(groups),
        stride_(groups * 4 + kLineBytes / sizeof(GroupEntry)),
        entries_(ChunksOf(keys.count) * stride_),
        bad_(ChunksOf(keys.count), kNone) {}

  void Run(std::size_t chunk) noexcept override {
    const std::size_t at = chunk * kChunkValues;
    const Column keys = Slice(keys_, at, kChunkValues);
    const std::size_t done =
        GroupSum(keys, Slice(values_, at, kChunkValues), groups_, entries_.data() + chunk * stride_);
    if (done < keys.count) bad_[chunk] = at + done;
  }

  std::vector<double> Result() const override {
    std::vector<double> out(2 * groups_);
    for (std::size_t chunk = 0; chunk < bad_.size(); ++chunk) {
      Gather(entries_.data() + chunk * stride_, groups_, out.data(), out.data() + groups_);
    }
    return out;
  }

  bool HasKeys() const override { return true; }

  std::size_t BadKey() const override {
    for (const std::size_t bad : bad_) {
      if (bad != kNone) return bad;
    }
    return kNone;
  }

 private:
  const Column keys_;
  const Column values_;
  const std::size_t groups_;
  const std::size_t stride_;
  std::vector<GroupEntry> entries_;
  std::vector<std::size_t> bad_;
};

}  // namespace

std::shared_ptr<BulkJob> MakeReduceJob(Bulk operation, const Column& values, const Column& other) {
  return std::make_shared<ReduceJob>(operation, values, other);
}
std::shared_ptr<BulkJob> MakeScaleJob(double a, Element element, void* x, std::size_t count) {
  return std::make_shared<UpdateJob>(a, element, nullptr, x, count);
}
std::shared_ptr<BulkJob> MakeAxpyJob(double a, Element element, const void* x, void* y, std::size_t count) {
  return std::make_shared<UpdateJob>(a, element, x, y, count);
}
std::shared_ptr<BulkJob> MakeHistogramJob(const Column& values, const Bins& bins) {
  return std::make_shared<HistogramJob>(values, bins);
}
std::shared_ptr<BulkJob> MakeGroupSumJob(const Column& keys, const Column& values, std::size_t groups) {
  return std::make_shared<GroupSumJob>(keys, values, groups);
}

}  // namespace sysopt::kernels
