// Bodies of the kernels that calculate, per width of vector. See arrays.h for the semantics.
#ifndef SYSOPT_CORE_KERNELS_NUMERIC_H_
#define SYSOPT_CORE_KERNELS_NUMERIC_H_

#include "arrays.h"
#include "reduce.h"

namespace sysopt::kernels {

inline constexpr std::size_t kCompensatedLanes = 16;

struct CompensatedLanes {
  alignas(64) double sum[kCompensatedLanes] = {};
  alignas(64) double error[kCompensatedLanes] = {};
};

// Knuth's TwoSum: what a + b loses, without a branch. Once sums are infinite it gives NaN; readers of `error` check.
template <typename T>
SYSOPT_INLINE void AddCompensated(T& sum, T& error, const T& value) {
  const T total = sum + value;
  const T rest = total - sum;
  error += (sum - (total - rest)) + (value - rest);
  sum = total;
}

struct ScalarNumeric : Scalar {
  template <typename T>
  static SYSOPT_INLINE void SumCompensated(const T* values, std::size_t count, CompensatedLanes& lanes) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t lane = i % kCompensatedLanes;
      AddCompensated(lanes.sum[lane], lanes.error[lane], static_cast<double>(values[i]));
    }
  }

  static SYSOPT_INLINE void SumDistances(const double* values, std::size_t count, double mean, SumLanes& lanes) {
    for (std::size_t i = 0; i < count; ++i) {
      const double distance = values[i] - mean;
      lanes.lane[i % kLanes] += distance * distance;
    }
  }

  template <typename T>
  static SYSOPT_INLINE void Scale(double a, T* x, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<T>(static_cast<double>(x[i]) * a);
  }

  template <typename T>
  static SYSOPT_INLINE void Axpy(double a, const T* x, T* y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      y[i] = static_cast<T>(static_cast<double>(y[i]) + a * static_cast<double>(x[i]));
    }
  }

  static SYSOPT_INLINE void Slots(const double* values, std::size_t count, const Bins& bins, std::int32_t* slots) {
    const double n = bins.bins;
    for (std::size_t i = 0; i < count; ++i) {
      const double value = values[i];
      double slot = (value - bins.low) * bins.scale;
      slot = slot < n ? slot : n - 1;
      slot = value < bins.low ? n : slot;
      slot = value > bins.high ? n + 1 : slot;
      slot = value != value ? n + 2 : slot;
      slots[i] = static_cast<std::int32_t>(slot);
    }
  }

  // Eight running sums, then the carry and the base on each: one addition of the chain for eight values. The base takes as
  // many additions as all else, so the first values of an array, which have none, go without: adding zero changes no sum,
  // for none of them is -0.
  template <bool kHasBase>
  static SYSOPT_INLINE double RunningSum(const double* values, std::size_t count, double base, double carry,
                                           double* out) {
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
      double once[8], twice[8];
      once[0] = values[i];
#pragma GCC unroll 8
      for (std::size_t k = 1; k < 8; ++k) once[k] = values[i + k] + values[i + k - 1];
      twice[0] = once[0], twice[1] = once[1];
#pragma GCC unroll 8
      for (std::size_t k = 2; k < 8; ++k) twice[k] = once[k] + once[k - 2];
#pragma GCC unroll 8
      for (std::size_t k = 0; k < 4; ++k) out[i + k] = kHasBase ? base + (carry + twice[k]) : carry + twice[k];
#pragma GCC unroll 8
      for (std::size_t k = 4; k < 7; ++k) {
        const double sum = carry + (twice[k] + twice[k - 4]);
        out[i + k] = kHasBase ? base + sum : sum;
      }
      carry = carry + (twice[7] + twice[3]);
      out[i + 7] = kHasBase ? base + carry : carry;
    }
    for (; i < count; ++i) {
      carry += values[i];
      out[i] = kHasBase ? base + carry : carry;
    }
    return carry;
  }
};

#if SYSOPT_VECTORS

template <std::size_t kBytes>
struct WideNumeric : Wide<kBytes> {
  using Base = Wide<kBytes>;
  using Base::kDoubles;
  using Base::kVectors;
  using typename Base::Doubles;

  template <typename T>
  static SYSOPT_INLINE void SumCompensated(const T* values, std::size_t count, CompensatedLanes& lanes) {
    constexpr std::size_t kEach = kCompensatedLanes / kDoubles;
    Doubles sums[kEach], errors[kEach];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kEach; ++v) {
      Load(sums[v], lanes.sum + v * kDoubles);
      Load(errors[v], lanes.error + v * kDoubles);
    }
    std::size_t i = 0;
    for (; i + kCompensatedLanes <= count; i += kCompensatedLanes) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kEach; ++v) {
        Doubles each;
        Base::Widen(each, values + i + v * kDoubles);
        AddCompensated(sums[v], errors[v], each);
      }
    }
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kEach; ++v) {
      Store(lanes.sum + v * kDoubles, sums[v]);
      Store(lanes.error + v * kDoubles, errors[v]);
    }
    ScalarNumeric::SumCompensated(values + i, count - i, lanes);
  }

  static SYSOPT_INLINE void SumDistances(const double* values, std::size_t count, double mean, SumLanes& lanes) {
    Doubles sums[kVectors] = {};
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kVectors; ++v) {
        Doubles each;
        Load(each, values + i + v * kDoubles);
        each -= mean;
        sums[v] += each * each;
      }
    }
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) Store(lanes.lane + v * kDoubles, sums[v]);
    ScalarNumeric::SumDistances(values + i, count - i, mean, lanes);
  }

  template <typename T>
  static SYSOPT_INLINE void Narrow(T* to, const Doubles& from) {
    if constexpr (std::is_same_v<T, double>) {
      Store(to, from);
    } else {
      using Narrower = Vector<T, kDoubles * sizeof(T)>;
      const Narrower each = __builtin_convertvector(from, Narrower);
      Store(to, each);
    }
  }

  template <typename T>
  static SYSOPT_INLINE void Scale(double a, T* x, std::size_t count) {
    std::size_t i = 0;
    for (; i + 4 * kDoubles <= count; i += 4 * kDoubles) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < 4; ++v) {
        Doubles each;
        Base::Widen(each, x + i + v * kDoubles);
        each *= a;
        Narrow(x + i + v * kDoubles, each);
      }
    }
    ScalarNumeric::Scale(a, x + i, count - i);
  }

  template <typename T>
  static SYSOPT_INLINE void Axpy(double a, const T* x, T* y, std::size_t count) {
    std::size_t i = 0;
    for (; i + 4 * kDoubles <= count; i += 4 * kDoubles) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < 4; ++v) {
        Doubles from, to;
        Base::Widen(from, x + i + v * kDoubles);
        Base::Widen(to, y + i + v * kDoubles);
        to += a * from;
        Narrow(y + i + v * kDoubles, to);
      }
    }
    ScalarNumeric::Axpy(a, x + i, y + i, count - i);
  }

  static SYSOPT_INLINE void Slots(const double* values, std::size_t count, const Bins& bins, std::int32_t* slots) {
    using Ints = Vector<std::int32_t, kDoubles * sizeof(std::int32_t)>;
    const double n = bins.bins;
    const Doubles last = Doubles{} + (n - 1), below = Doubles{} + n, above = Doubles{} + (n + 1),
                  nan = Doubles{} + (n + 2);
    std::size_t i = 0;
    for (; i + kDoubles <= count; i += kDoubles) {
      Doubles value;
      Load(value, values + i);
      Doubles slot = (value - bins.low) * bins.scale;
      slot = slot < n ? slot : last;
      slot = value < bins.low ? below : slot;
      slot = value > bins.high ? above : slot;
      slot = value != value ? nan : slot;
      const Ints each = __builtin_convertvector(slot, Ints);
      Store(slots + i, each);
    }
    ScalarNumeric::Slots(values + i, count - i, bins, slots + i);
  }

  // Eight running sums are one vector of 64 bytes. Zeros move in where the scalar version adds nothing; they change the
  // sign of a zero at most, which the carry, never -0, takes back. Narrower vectors gain nothing over it.
  template <bool kHasBase>
  static SYSOPT_INLINE double RunningSum(const double* values, std::size_t count, double base, double carry,
                                         double* out) {
    if constexpr (kDoubles == 8) {
      const Doubles zero = {};
      Doubles carries = zero + carry;
      std::size_t i = 0;
      for (; i + 8 <= count; i += 8) {
        Doubles sums;
        Load(sums, values + i);
        sums += SYSOPT_SHUFFLE(zero, sums, 0, 8, 9, 10, 11, 12, 13, 14);
        sums += SYSOPT_SHUFFLE(zero, sums, 0, 1, 8, 9, 10, 11, 12, 13);
        sums += SYSOPT_SHUFFLE(zero, sums, 0, 1, 2, 3, 8, 9, 10, 11);
        const Doubles each = carries + sums;
        if constexpr (kHasBase) {
          const Doubles based = base + each;
          Store(out + i, based);
        } else {
          Store(out + i, each);
        }
        carries += SYSOPT_SHUFFLE(sums, sums, 7, 7, 7, 7, 7, 7, 7, 7);
      }
      return ScalarNumeric::RunningSum<kHasBase>(values + i, count - i, base, carries[0], out + i);
    } else {
      return ScalarNumeric::RunningSum<kHasBase>(values, count, base, carry, out);
    }
  }
};

#endif  // SYSOPT_VECTORS

// --- Whole calls -------------------------------------------------------------------------------------------

template <typename Body>
SYSOPT_INLINE Compensated SumCompensatedOf(const Column& values) {
  if (values.count < kSequentialBelow) {
    double doubles[kSequentialBelow];
    PackAsDoubles<Body>(values, 0, values.count, doubles);
    Compensated all;
    for (std::size_t i = 0; i < values.count; ++i) AddCompensated(all.sum, all.error, doubles[i]);
    return all;
  }
  CompensatedLanes lanes;
  if (values.element == Element::kF32) {
    Body::SumCompensated(static_cast<const float*>(values.data), values.count, lanes);
  } else {
    Body::SumCompensated(static_cast<const double*>(values.data), values.count, lanes);
  }
  for (std::size_t half = kCompensatedLanes / 2; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half; ++k) {
      AddCompensated(lanes.sum[k], lanes.error[k], lanes.sum[k + half]);
      lanes.error[k] += lanes.error[k + half];
    }
  }
  return {lanes.sum[0], lanes.error[0]};
}

template <typename Body>
SYSOPT_INLINE Moments MomentsOf(const Column& values) {
  alignas(64) double packed[kMomentValues];
  const double* from = static_cast<const double*>(values.data);
  if (values.element != Element::kF64) {
    PackAsDoubles<Body>(values, 0, values.count, packed);
    from = packed;
  }
  Moments moments;
  if (values.count == 0) return moments;
  moments.count = static_cast<double>(values.count);
  if (values.count < kSequentialBelow) {
    double sum = 0;
    for (std::size_t i = 0; i < values.count; ++i) sum += from[i];
    moments.mean = sum / moments.count;
    for (std::size_t i = 0; i < values.count; ++i) {
      const double distance = from[i] - moments.mean;
      moments.m2 += distance * distance;
    }
    return moments;
  }
  SumLanes sums;
  Body::Sum(from, values.count, sums);
  moments.mean = sums.Total() / moments.count;
  SumLanes distances;
  Body::SumDistances(from, values.count, moments.mean, distances);
  moments.m2 = distances.Total();
  return moments;
}

template <typename Body>
SYSOPT_INLINE void ScaleOf(Element element, double a, void* x, std::size_t count) {
  if (element == Element::kF32) {
    Body::Scale(a, static_cast<float*>(x), count);
  } else {
    Body::Scale(a, static_cast<double*>(x), count);
  }
}

template <typename Body>
SYSOPT_INLINE void AxpyOf(Element element, double a, const void* x, void* y, std::size_t count) {
  if (element == Element::kF32) {
    Body::Axpy(a, static_cast<const float*>(x), static_cast<float*>(y), count);
  } else {
    Body::Axpy(a, static_cast<const double*>(x), static_cast<double*>(y), count);
  }
}

// Where the running sums end: the same tree without its branches.
SYSOPT_INLINE double RunningTotalOfDoubles(const double* values, std::size_t count, double carry) {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const double* const v = values + i;
    const double low = (v[3] + v[2]) + (v[1] + v[0]);
    const double high = (v[7] + v[6]) + (v[5] + v[4]);
    carry = carry + (high + low);
  }
  for (; i < count; ++i) carry += values[i];
  return carry;
}

// One by one, which takes a short array less time than the tree.
SYSOPT_INLINE double ShortRunningSum(const double* values, std::size_t count, double base, double* out) {
  double carry = 0;
  for (std::size_t i = 0; i < count; ++i) {
    carry += values[i];
    out[i] = base + carry;
  }
  return carry;
}

// Tiles of doubles, of whole groups of eight but for the last.
template <typename Body, typename Use>
SYSOPT_INLINE double ForDoubles(const Column& values, Use use) {
  if (values.element == Element::kF64) {
    return use(static_cast<const double*>(values.data), std::size_t{0}, values.count, 0.0);
  }
  alignas(64) double packed[kTile];
  double carry = 0;
  for (std::size_t start = 0; start < values.count; start += kTile) {
    const std::size_t count = values.count - start < kTile ? values.count - start : kTile;
    PackAsDoubles<Body>(values, start, count, packed);
    carry = use(static_cast<const double*>(packed), start, count, carry);
  }
  return carry;
}

template <typename Body>
struct RunningSumTiles {
  double base;
  double* out;
  SYSOPT_INLINE double operator()(const double* tile, std::size_t start, std::size_t count, double carry) const {
    return base == 0 ? Body::template RunningSum<false>(tile, count, base, carry, out + start)
                     : Body::template RunningSum<true>(tile, count, base, carry, out + start);
  }
};

struct RunningTotalTiles {
  SYSOPT_INLINE double operator()(const double* tile, std::size_t, std::size_t count, double carry) const {
    return RunningTotalOfDoubles(tile, count, carry);
  }
};

template <typename Body>
SYSOPT_INLINE double RunningSumOf(const Column& values, double base, double* out) {
  if (values.count < kSequentialBelow) {
    double doubles[kSequentialBelow];
    PackAsDoubles<Body>(values, 0, values.count, doubles);
    return ShortRunningSum(doubles, values.count, base, out);
  }
  return ForDoubles<Body>(values, RunningSumTiles<Body>{base, out});
}

template <typename Body>
SYSOPT_INLINE double RunningTotalOf(const Column& values) {
  if (values.count < kSequentialBelow) {
    double doubles[kSequentialBelow];
    PackAsDoubles<Body>(values, 0, values.count, doubles);
    double sum = 0;
    for (std::size_t i = 0; i < values.count; ++i) sum += doubles[i];
    return sum;
  }
  return ForDoubles<Body>(values, RunningTotalTiles{});
}

// Up to this many bins are counted in four tables, so that equal neighbours do not wait for each other.
inline constexpr std::size_t kSplitBins = 1024;

template <typename Body>
SYSOPT_INLINE void HistogramOf(const Column& values, const Bins& bins, std::uint32_t* out) {
  const std::size_t slots = bins.bins + kOutsideBins;
  const bool split = bins.bins <= kSplitBins && values.count >= slots;
  std::uint32_t tables[3][kSplitBins + kOutsideBins];
  if (split) {
    for (auto& table : tables) std::memset(table, 0, slots * sizeof table[0]);
  }
  std::uint32_t* const one = split ? tables[0] : out;
  std::uint32_t* const two = split ? tables[1] : out;
  std::uint32_t* const three = split ? tables[2] : out;
  alignas(64) double packed[kTile];
  alignas(64) std::int32_t places[kTile];
  for (std::size_t start = 0; start < values.count; start += kTile) {
    const std::size_t count = values.count - start < kTile ? values.count - start : kTile;
    const double* from = static_cast<const double*>(values.data) + start;
    if (values.element != Element::kF64) {
      PackAsDoubles<Body>(values, start, count, packed);
      from = packed;
    }
    Body::Slots(from, count, bins, places);
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      ++out[places[i]];
      ++one[places[i + 1]];
      ++two[places[i + 2]];
      ++three[places[i + 3]];
    }
    for (; i < count; ++i) ++out[places[i]];
  }
  if (split) {
    for (std::size_t k = 0; k < slots; ++k) out[k] += tables[0][k] + tables[1][k] + tables[2][k];
  }
}

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_NUMERIC_H_
