// Bulk kernels over columns, and the table that says which implementation runs on this CPU. One file per family:
// reduce.cc, filter.cc, move.cc. Nothing here allocates, throws or calls the operating system.
//
// Semantics, the same in every implementation and in src/memory/struct/column-loops.ts
// - Sums and dot products of floats: below 128 values from left to right; else value i is added to lane i % 32 in
//   order, and lanes are added pairwise (16 apart, then 8, 4, 2, 1). No fused multiply-add. f32 counts as f64.
// - Sums of integers are exact, rounded once to a double; of 64-bit integers exact in two parts.
// - Minimum and maximum: NaN where any value is NaN; no value gives +Infinity and -Infinity; zero is never negative.
// - Predicates compare as doubles; NaN equals nothing.
#ifndef SYSOPT_CORE_KERNELS_KERNELS_H_
#define SYSOPT_CORE_KERNELS_KERNELS_H_

#include <cstddef>
#include <cstdint>

#include "column.h"

namespace sysopt::kernels {

enum class Isa : std::uint8_t { kReference, kBaseline, kAvx2, kAvx512 };
inline constexpr std::size_t kIsas = 4;

enum class Reduction : std::uint8_t { kSum, kMin, kMax };

// Of 64-bit integers: the sum is high * 2^32 + low, `low` unsigned; minimum and maximum are in `low`.
struct WideResult {
  std::uint64_t low = 0;
  std::int64_t high = 0;
};

// Which values pass. Floats: `value` against each by `compare`. Integers: those whose bits under `mask` are from `low`
// to `high` (as bits of the element's type), or all others where `inverted`. A set flag is its mask and not 0 to 0.
struct Predicate {
  enum class Compare : std::uint8_t { kLess, kLessEqual, kGreater, kGreaterEqual, kEqual, kNotEqual };
  Compare compare = Compare::kLess;
  double value = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::uint64_t mask = ~std::uint64_t{0};
  bool inverted = false;
};

// One run of bytes of every record, to be copied from one array into another. Strides in bytes.
struct Move {
  const std::byte* from = nullptr;
  std::byte* to = nullptr;
  std::size_t from_stride = 0;
  std::size_t from_block = 0;
  std::size_t to_stride = 0;
  std::size_t to_block = 0;
  std::size_t bytes = 0;
};

struct Kernels {
  // `column` is of any element but 64-bit integers.
  double (*reduce)(Reduction reduction, const Column& column);
  // `column` is of 64-bit integers.
  WideResult (*reduce_wide)(Reduction reduction, const Column& column);
  // Both of the same count, of any element but 64-bit integers.
  double (*dot)(const Column& a, const Column& b);
  // Writes the indices of the values that pass, in order, and returns how many. `out` has room for `column.count`.
  std::size_t (*filter)(const Column& column, const Predicate& predicate, std::uint32_t* out);
};

// nullptr where this build or CPU has it not. kReference and kBaseline are always there.
const Kernels* KernelsFor(Isa isa);

// The best that this CPU runs; chosen once, when the addon loads.
Isa ActiveIsa();
const Kernels& Active();

// Moves `count` records by every one of `moves`.
void MoveRecords(const Move* moves, std::size_t move_count, std::size_t count);

// out[i] = value at indices[i]; returns the first i whose index is not below `column.count`, or `count`. Indices are
// read once each, so that a writer on another thread cannot pass one that was not checked.
std::size_t Gather(const Column& column, const std::uint32_t* indices, std::size_t count, void* out);

// The reverse: value at indices[i] of `out`, which has room for `out_count`, = value i of a contiguous column. In
// ascending order, so of equal indices the last one stands. Returns and reads as Gather does.
std::size_t Scatter(const Column& column, const std::uint32_t* indices, void* out, std::size_t out_count);

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_KERNELS_H_
