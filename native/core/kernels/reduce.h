// Sums, minima, maxima and dot products: bodies, per width of vector. See kernels.h for the semantics.
#ifndef SYSOPT_CORE_KERNELS_REDUCE_H_
#define SYSOPT_CORE_KERNELS_REDUCE_H_

#include <limits>
#include <type_traits>

#include "kernels.h"

namespace sysopt::kernels {

// --- State that outlives a tile, in lanes ------------------------------------------------------------------

struct SumLanes {
  alignas(64) double lane[kLanes] = {};

  double Total() {
    for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
      for (std::size_t k = 0; k < half; ++k) lane[k] += lane[k + half];
    }
    return lane[0];
  }
};

template <typename T>
struct Extreme {
  alignas(64) T lane[64 / sizeof(T)];
  bool nan = false;
};

template <typename T, bool kIsMin>
constexpr T Neutral() {
  if constexpr (std::is_floating_point_v<T>) {
    return kIsMin ? std::numeric_limits<T>::infinity() : -std::numeric_limits<T>::infinity();
  } else {
    return kIsMin ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
  }
}

template <bool kIsMin, typename T>
SYSOPT_INLINE T Better(T a, T b) {
  return kIsMin ? (b < a ? b : a) : (b > a ? b : a);
}

// --- Scalar bodies: the reference, and the tails of the others ---------------------------------------------

struct Scalar {
  template <typename T>
  static SYSOPT_INLINE void Sum(const T* values, std::size_t count, SumLanes& lanes) {
    for (std::size_t i = 0; i < count; ++i) lanes.lane[i % kLanes] += static_cast<double>(values[i]);
  }

  template <typename T>
  static SYSOPT_INLINE void ToDoubles(const T* values, std::size_t count, double* out) {
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>(values[i]);
  }

  template <typename T>
  static SYSOPT_INLINE void Dot(const T* a, const T* b, std::size_t count, SumLanes& lanes) {
    for (std::size_t i = 0; i < count; ++i) {
      lanes.lane[i % kLanes] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
  }

  template <typename T>
  static SYSOPT_INLINE std::int64_t SumInteger(const T* values, std::size_t count) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += values[i];
    return sum;
  }

  template <typename T>
  static SYSOPT_INLINE void SumWide(const T* values, std::size_t count, WideResult& sum) {
    for (std::size_t i = 0; i < count; ++i) {
      sum.low += static_cast<std::uint32_t>(values[i]);
      sum.high += static_cast<std::int64_t>(values[i] >> 32);
    }
  }

  template <bool kIsMin, typename T>
  static SYSOPT_INLINE void Find(const T* values, std::size_t count, Extreme<T>& best) {
    for (std::size_t i = 0; i < count; ++i) {
      best.lane[0] = Better<kIsMin>(best.lane[0], values[i]);
      if constexpr (std::is_floating_point_v<T>) best.nan |= values[i] != values[i];
    }
  }
};

#if SYSOPT_VECTORS

// --- Vector bodies -----------------------------------------------------------------------------------------

// Vectors of `kBytes`.
template <std::size_t kBytes>
struct Wide {
  static constexpr std::size_t kDoubles = kBytes / sizeof(double);
  static constexpr std::size_t kVectors = kLanes / kDoubles;
  using Doubles = Vector<double, kBytes>;
  using Longs = Vector<std::int64_t, kBytes>;

  template <typename T>
  static SYSOPT_INLINE void Widen(Doubles& out, const T* from) {
    if constexpr (std::is_same_v<T, double>) {
      Load(out, from);
    } else {
      Vector<T, kDoubles * sizeof(T)> narrow;
      Load(narrow, from);
      out = __builtin_convertvector(narrow, Doubles);
    }
  }

  template <typename T>
  static SYSOPT_INLINE void ToDoubles(const T* values, std::size_t count, double* out) {
    std::size_t i = 0;
    if constexpr (sizeof(T) >= 4) {
      for (; i + kDoubles <= count; i += kDoubles) {
        Doubles each;
        Widen(each, values + i);
        Store(out + i, each);
      }
    } else {
      for (; i + kInts <= count; i += kInts) {
        Ints each;
        WidenToInts(each, values + i);
        std::int32_t ints[kInts];
        Store(ints, each);
        ToDoubles(static_cast<const std::int32_t*>(ints), kInts, out + i);
      }
    }
    Scalar::ToDoubles(values + i, count - i, out + i);
  }

  // V8 aligns to 16 bytes, so that most loads of whole cache lines would straddle two. The first values therefore go
  // one by one up to a line's start, and the vectors' lanes are turned by as many: the same additions in each lane.
  template <typename T>
  static SYSOPT_INLINE void Sum(const T* values, std::size_t count, SumLanes& lanes) {
    constexpr std::size_t kLine = 64;
    std::size_t first = 0;
    if (count >= 8 * kLanes) {
      first = (kLine - reinterpret_cast<std::uintptr_t>(values) % kLine) % kLine / sizeof(T) % kLanes;
      for (std::size_t i = 0; i < first; ++i) lanes.lane[i] += static_cast<double>(values[i]);
    }
    alignas(64) double turned[2 * kLanes];
    std::memcpy(turned, lanes.lane, sizeof lanes.lane);
    std::memcpy(turned + kLanes, lanes.lane, sizeof lanes.lane);
    Doubles sums[kVectors];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) Load(sums[v], turned + first + v * kDoubles);
    std::size_t i = first;
    for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kVectors; ++v) {
        Doubles each;
        Widen(each, values + i + v * kDoubles);
        sums[v] += each;
      }
    }
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) Store(turned + first + v * kDoubles, sums[v]);
    // Lane k lies at k, or for those before `first`, a turn later.
    std::memcpy(lanes.lane + first, turned + first, (kLanes - first) * sizeof(double));
    std::memcpy(lanes.lane, turned + kLanes, first * sizeof(double));
    for (; i < count; ++i) lanes.lane[i % kLanes] += static_cast<double>(values[i]);
  }

  template <typename T>
  static SYSOPT_INLINE void Dot(const T* a, const T* b, std::size_t count, SumLanes& lanes) {
    Doubles sums[kVectors];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) Load(sums[v], lanes.lane + v * kDoubles);
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kVectors; ++v) {
        Doubles x, y;
        Widen(x, a + i + v * kDoubles);
        Widen(y, b + i + v * kDoubles);
        sums[v] += x * y;
      }
    }
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) Store(lanes.lane + v * kDoubles, sums[v]);
    Scalar::Dot(a + i, b + i, count - i, lanes);
  }

  // 8 and 16 bits add up in lanes of 32 bits, which hold 2^14 of them; GCC widens well by a factor of two only.
  static constexpr std::size_t kInts = kBytes / sizeof(std::int32_t);
  static constexpr std::size_t kFlush = std::size_t{1} << 14;
  using Ints = Vector<std::int32_t, kBytes>;

  template <typename T>
  static SYSOPT_INLINE void WidenToInts(Ints& out, const T* from) {
    Vector<T, kInts * sizeof(T)> narrow;
    Load(narrow, from);
    if constexpr (sizeof(T) == 1) {
      using Middle = std::conditional_t<std::is_signed_v<T>, std::int16_t, std::uint16_t>;
      out = __builtin_convertvector((__builtin_convertvector(narrow, Vector<Middle, kInts * 2>)), Ints);
    } else {
      out = __builtin_convertvector(narrow, Ints);
    }
  }

  template <typename T>
  static SYSOPT_INLINE std::int64_t SumInteger(const T* values, std::size_t count) {
    std::size_t i = 0;
    std::int64_t sum = 0;
    if constexpr (sizeof(T) < 4) {
      while (i + 4 * kInts <= count) {
        Ints sums[4] = {};
        for (std::size_t k = 0; k < kFlush && i + 4 * kInts <= count; ++k, i += 4 * kInts) {
#pragma GCC unroll 4
          for (std::size_t v = 0; v < 4; ++v) {
            Ints each;
            WidenToInts(each, values + i + v * kInts);
            sums[v] += each;
          }
        }
        for (std::size_t v = 0; v < 4; ++v) {
          for (std::size_t k = 0; k < kInts; ++k) sum += sums[v][k];
        }
      }
    } else {
      using Narrow = Vector<T, kDoubles * sizeof(T)>;
      Longs sums[4] = {};
      for (; i + 4 * kDoubles <= count; i += 4 * kDoubles) {
#pragma GCC unroll 4
        for (std::size_t v = 0; v < 4; ++v) {
          Narrow narrow;
          Load(narrow, values + i + v * kDoubles);
          sums[v] += __builtin_convertvector(narrow, Longs);
        }
      }
      const Longs all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
      for (std::size_t k = 0; k < kDoubles; ++k) sum += all[k];
    }
    return sum + Scalar::SumInteger(values + i, count - i);
  }

  template <typename T>
  static SYSOPT_INLINE void SumWide(const T* values, std::size_t count, WideResult& sum) {
    using Values = Vector<T, kBytes>;
    using Unsigned = Vector<std::uint64_t, kBytes>;
    Unsigned low = {};
    Values high = {};
    std::size_t i = 0;
    for (; i + kDoubles <= count; i += kDoubles) {
      Values each;
      Load(each, values + i);
      low += reinterpret_cast<Unsigned>(each) & 0xffffffffu;
      high += each >> 32;
    }
    for (std::size_t k = 0; k < kDoubles; ++k) {
      sum.low += low[k];
      sum.high += static_cast<std::int64_t>(high[k]);
    }
    Scalar::SumWide(values + i, count - i, sum);
  }

  // NaN is what is larger than infinity with the sign off, in integers: comparing floats with themselves in the loop
  // above made GCC spill every vector. `count` is a multiple of four vectors.
  template <typename T>
  static SYSOPT_INLINE bool AnyNan(const T* values, std::size_t count) {
    using Bits = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
    using Values = Vector<Bits, kBytes>;
    constexpr std::size_t kEach = kBytes / sizeof(T);
    constexpr Bits kSign = std::numeric_limits<Bits>::max();
    constexpr Bits kInfinity = sizeof(T) == 8 ? static_cast<Bits>(0x7ff0000000000000) : static_cast<Bits>(0x7f800000);
    Values largest[4] = {};
    for (std::size_t i = 0; i < count; i += 4 * kEach) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < 4; ++v) {
        Values each;
        Load(each, values + i + v * kEach);
        each &= kSign;
        largest[v] = each > largest[v] ? each : largest[v];
      }
    }
    Bits all = 0;
    for (std::size_t v = 0; v < 4; ++v) {
      for (std::size_t k = 0; k < kEach; ++k) all = all > largest[v][k] ? all : largest[v][k];
    }
    return all > kInfinity;
  }

  template <bool kIsMin, typename T>
  static SYSOPT_INLINE void Find(const T* values, std::size_t count, Extreme<T>& best) {
    using Values = Vector<T, kBytes>;
    constexpr std::size_t kEach = kBytes / sizeof(T);
    Values bests[4];
    for (std::size_t v = 0; v < 4; ++v) Load(bests[v], best.lane);
    std::size_t i = 0;
    for (; i + 4 * kEach <= count; i += 4 * kEach) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < 4; ++v) {
        Values each;
        Load(each, values + i + v * kEach);
        bests[v] = kIsMin ? (each < bests[v] ? each : bests[v]) : (each > bests[v] ? each : bests[v]);
      }
    }
    if constexpr (std::is_floating_point_v<T>) best.nan |= AnyNan(values, i);
    for (std::size_t v = 0; v < 4; ++v) {
      for (std::size_t k = 0; k < kEach; ++k) {
        best.lane[k] = Better<kIsMin>(best.lane[k], static_cast<T>(bests[v][k]));
      }
    }
    Scalar::Find<kIsMin>(values + i, count - i, best);
  }
};

#endif  // SYSOPT_VECTORS

// --- A whole column, contiguous or not ---------------------------------------------------------------------

template <typename T, typename Use>
SYSOPT_INLINE void ForTiles(const Column& column, Use&& use) {
  if (column.Contiguous()) {
    use.Tile(static_cast<const T*>(column.data), column.count);
    return;
  }
  alignas(64) T tile[kTile];
  for (std::size_t start = 0; start < column.count; start += kTile) {
    const std::size_t count = column.count - start < kTile ? column.count - start : kTile;
    Pack(column, start, count, tile);
    use.Tile(static_cast<const T*>(tile), count);
  }
}

template <typename Body, typename T>
struct SumTiles {
  SumLanes lanes;
  std::int64_t integer = 0;
  SYSOPT_INLINE void Tile(const T* values, std::size_t count) {
    if constexpr (std::is_integral_v<T>) {
      integer += Body::SumInteger(values, count);
    } else {
      Body::Sum(values, count, lanes);
    }
  }
};

template <typename Body, typename T>
struct SumWideTiles {
  WideResult sum;
  SYSOPT_INLINE void Tile(const T* values, std::size_t count) { Body::SumWide(values, count, sum); }
};

template <typename Body, typename T, bool kIsMin>
struct FindTiles {
  Extreme<T> best;
  FindTiles() {
    for (T& lane : best.lane) lane = Neutral<T, kIsMin>();
  }
  // Floats are read twice, for NaN too: the second time from the first-level cache.
  SYSOPT_INLINE void Tile(const T* values, std::size_t count) {
    constexpr std::size_t kAtOnce = 16384 / sizeof(T);
    for (; count > kAtOnce; values += kAtOnce, count -= kAtOnce) Body::template Find<kIsMin>(values, kAtOnce, best);
    Body::template Find<kIsMin>(values, count, best);
  }
  T Best() const {
    T found = best.lane[0];
    for (const T lane : best.lane) found = Better<kIsMin>(found, lane);
    return found;
  }
};

template <typename T>
SYSOPT_INLINE double SumSequential(const Column& column) {
  const T* data = static_cast<const T*>(column.data);
  double sum = 0;
  for (std::size_t i = 0; i < column.count; ++i) sum += static_cast<double>(data[Place<T>(column, i)]);
  return sum;
}

template <typename Body, typename T>
SYSOPT_INLINE double SumOf(const Column& column) {
  if constexpr (std::is_floating_point_v<T>) {
    if (column.count < kSequentialBelow) return SumSequential<T>(column);
  }
  SumTiles<Body, T> tiles;
  ForTiles<T>(column, tiles);
  if constexpr (std::is_integral_v<T>) return static_cast<double>(tiles.integer);
  return tiles.lanes.Total();
}

template <typename Body, typename T, bool kIsMin>
SYSOPT_INLINE double ExtremeOf(const Column& column) {
  if (column.count == 0) return Neutral<double, kIsMin>();
  FindTiles<Body, T, kIsMin> tiles;
  ForTiles<T>(column, tiles);
  if (tiles.best.nan) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(tiles.Best()) + 0.0;  // no negative zero
}

template <typename Body, typename T>
SYSOPT_INLINE double ReduceAs(Reduction reduction, const Column& column) {
  switch (reduction) {
    case Reduction::kSum:
      return SumOf<Body, T>(column);
    case Reduction::kMin:
      return ExtremeOf<Body, T, true>(column);
    default:
      return ExtremeOf<Body, T, false>(column);
  }
}

template <typename Body>
SYSOPT_INLINE double ReduceColumn(Reduction reduction, const Column& column) {
  switch (column.element) {
    case Element::kU8:
      return ReduceAs<Body, std::uint8_t>(reduction, column);
    case Element::kI8:
      return ReduceAs<Body, std::int8_t>(reduction, column);
    case Element::kU16:
      return ReduceAs<Body, std::uint16_t>(reduction, column);
    case Element::kI16:
      return ReduceAs<Body, std::int16_t>(reduction, column);
    case Element::kU32:
      return ReduceAs<Body, std::uint32_t>(reduction, column);
    case Element::kI32:
      return ReduceAs<Body, std::int32_t>(reduction, column);
    case Element::kF32:
      return ReduceAs<Body, float>(reduction, column);
    default:
      return ReduceAs<Body, double>(reduction, column);
  }
}

template <typename Body, typename T>
SYSOPT_INLINE WideResult ReduceWideAs(Reduction reduction, const Column& column) {
  WideResult result;
  if (reduction == Reduction::kSum) {
    SumWideTiles<Body, T> tiles;
    ForTiles<T>(column, tiles);
    result = tiles.sum;
  } else if (reduction == Reduction::kMin) {
    FindTiles<Body, T, true> tiles;
    ForTiles<T>(column, tiles);
    result.low = static_cast<std::uint64_t>(tiles.Best());
  } else {
    FindTiles<Body, T, false> tiles;
    ForTiles<T>(column, tiles);
    result.low = static_cast<std::uint64_t>(tiles.Best());
  }
  return result;
}

template <typename Body>
SYSOPT_INLINE WideResult ReduceWideColumn(Reduction reduction, const Column& column) {
  return column.element == Element::kU64 ? ReduceWideAs<Body, std::uint64_t>(reduction, column)
                                         : ReduceWideAs<Body, std::int64_t>(reduction, column);
}

// --- Dot products ------------------------------------------------------------------------------------------

template <typename Body, typename T>
SYSOPT_INLINE void PackDoubles(const Column& column, std::size_t start, std::size_t count, double* out) {
  if (column.Contiguous()) {
    Body::ToDoubles(static_cast<const T*>(column.data) + start, count, out);
    return;
  }
  T packed[kTile];
  Pack(column, start, count, packed);
  Body::ToDoubles(static_cast<const T*>(packed), count, out);
}

template <typename Body>
SYSOPT_INLINE void PackAsDoubles(const Column& column, std::size_t start, std::size_t count, double* out) {
  switch (column.element) {
    case Element::kU8:
      return PackDoubles<Body, std::uint8_t>(column, start, count, out);
    case Element::kI8:
      return PackDoubles<Body, std::int8_t>(column, start, count, out);
    case Element::kU16:
      return PackDoubles<Body, std::uint16_t>(column, start, count, out);
    case Element::kI16:
      return PackDoubles<Body, std::int16_t>(column, start, count, out);
    case Element::kU32:
      return PackDoubles<Body, std::uint32_t>(column, start, count, out);
    case Element::kI32:
      return PackDoubles<Body, std::int32_t>(column, start, count, out);
    case Element::kF32:
      return PackDoubles<Body, float>(column, start, count, out);
    default:
      return PackDoubles<Body, double>(column, start, count, out);
  }
}

template <typename Body>
SYSOPT_INLINE double DotColumns(const Column& a, const Column& b) {
  const std::size_t count = a.count;
  if (count < kSequentialBelow) {
    double x[kSequentialBelow];
    double y[kSequentialBelow];
    PackAsDoubles<Body>(a, 0, count, x);
    PackAsDoubles<Body>(b, 0, count, y);
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += x[i] * y[i];
    return sum;
  }
  SumLanes lanes;
  const bool contiguous = a.Contiguous() && b.Contiguous() && a.element == b.element;
  if (contiguous && a.element == Element::kF64) {
    Body::Dot(static_cast<const double*>(a.data), static_cast<const double*>(b.data), count, lanes);
  } else if (contiguous && a.element == Element::kF32) {
    Body::Dot(static_cast<const float*>(a.data), static_cast<const float*>(b.data), count, lanes);
  } else {
    alignas(64) double x[kTile];
    alignas(64) double y[kTile];
    for (std::size_t start = 0; start < count; start += kTile) {
      const std::size_t length = count - start < kTile ? count - start : kTile;
      PackAsDoubles<Body>(a, start, length, x);
      PackAsDoubles<Body>(b, start, length, y);
      Body::Dot(static_cast<const double*>(x), static_cast<const double*>(y), length, lanes);
    }
  }
  return lanes.Total();
}

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_REDUCE_H_
