// Kernels over plain arrays: one call works on one contiguous run of values. Which implementation runs is decided like
// that of the column kernels (kernels.h), by a table of function pointers chosen at load. What spans a whole array, its
// order of additions first of all, is in bulk.h; sorting, which has no vector versions, in order.h.
//
// Semantics, the same in every implementation and in src/computation/kernels
// - Fewer than 128 values are added up from left to right, whatever the kernel: short arrays are left to JavaScript, which
//   cannot do it faster. That holds for the last block or chunk of a long array too.
// - Lane sums: value i goes to lane i % 32 (compensated: % 16), lanes are added pairwise, 16 apart, then 8, 4, 2, 1.
// - No fused multiply-add. f32 is worked on as f64 and rounded once where the result is f32.
// - Running sums: groups of eight by Hillis and Steele (1 apart, then 2, then 4), each on top of the carry, and all of
//   them on top of what stood before the first value (each 2^14 values, see bulk.h).
#ifndef SYSOPT_CORE_KERNELS_ARRAYS_H_
#define SYSOPT_CORE_KERNELS_ARRAYS_H_

#include "kernels.h"

namespace sysopt::kernels {

// A sum and what its roundings lost.
struct Compensated {
  double sum = 0;
  double error = 0;
};

// Number, mean, and the sum of squared distances from the mean.
struct Moments {
  double count = 0;
  double mean = 0;
  double m2 = 0;
};

// Values from `low` to `high` fall into `bins` slots of equal width, `high` into the last. Three more slots follow:
// below, above, NaN.
struct Bins {
  double low = 0;
  double high = 1;
  double scale = 1;  // bins / (high - low)
  std::uint32_t bins = 1;
};
inline constexpr std::size_t kOutsideBins = 3;

enum class BitOperation : std::uint8_t { kAnd, kOr, kXor, kAndNot };

// What group sums add up: one entry, or four side by side, a group.
struct alignas(16) GroupEntry {
  double sum = 0;
  double count = 0;
};
// Up to this many groups have four entries each, value i going to entry i % 4 (of fewer than 128 values: to the first):
// runs of one key would wait for their own additions otherwise. More would not fit the first-level cache.
inline constexpr std::size_t kSplitGroups = 512;

// Values that a call of `moments` takes at most: they stay in the first-level cache for the second pass.
inline constexpr std::size_t kMomentValues = 4096;

struct ArrayKernels {
  // Of floats, in 16 lanes.
  Compensated (*sum_compensated)(const Column& values);
  // Of at most kMomentValues values. Mean first, then distances: no worse than Welford, and in vectors.
  Moments (*moments)(const Column& values);
  // x[i] *= a; f32 or f64.
  void (*scale)(Element element, double a, void* x, std::size_t count);
  // y[i] += a * x[i]; f32 or f64.
  void (*axpy)(Element element, double a, const void* x, void* y, std::size_t count);
  // out[i] = base + (the sum of the first i + 1 values). Returns the sum of all, without the base.
  double (*running_sum)(const Column& values, double base, double* out);
  // What running_sum returns, to the bit.
  double (*running_total)(const Column& values);
  // Adds to `slots`, of which there are bins + kOutsideBins.
  void (*histogram)(const Column& values, const Bins& bins, std::uint32_t* slots);
  void (*bits)(BitOperation operation, const std::byte* a, const std::byte* b, std::byte* out, std::size_t bytes);
  std::uint64_t (*count_bits)(const std::byte* data, std::size_t bytes);
  // Bytes that begin a character of UTF-8: all but 10xxxxxx.
  std::uint64_t (*count_code_points)(const std::byte* data, std::size_t bytes);
  std::uint32_t (*crc32c)(std::uint32_t crc, const std::byte* data, std::size_t bytes);
  // Two lower-case digits a byte.
  void (*hex_encode)(const std::byte* data, std::size_t bytes, char* out);
  // The bytes of twice as many digits, upper or lower case. Returns how many bytes stand before the first pair that is
  // no byte; `out` behind them may have been written to.
  std::size_t (*hex_decode)(const char* digits, std::size_t bytes, std::byte* out);
};

// nullptr where KernelsFor(isa) is.
const ArrayKernels* ArrayKernelsFor(Isa isa);
const ArrayKernels& ActiveArrays();

// XXH64 of Yann Collet's xxHash, the same for every instruction set.
std::uint64_t Xxh64(const std::byte* data, std::size_t bytes, std::uint64_t seed);

// Adds values to the entries of their groups; see kSplitGroups. `keys` are u8, u16, u32 or i32. Returns the first i whose
// key is not below `groups`, or the number of keys. A key is read once.
std::size_t GroupSum(const Column& keys, const Column& values, std::size_t groups, GroupEntry* entries);

// The values that pass, in order. `out` has room for all of them and is not `values`.
std::size_t Compact(const Kernels& kernels, const Column& values, const Predicate& predicate, void* out);

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_ARRAYS_H_
