// Which values of a column satisfy a predicate, as ascending indices.
//
// Vector versions work in two steps: 64 values to 64 bits, then bits to indices (a table of permutations with AVX2,
// compress with AVX-512). The second step knows nothing of the element's type. Plain C++ writes every index and
// advances by the outcome, so that mispredicted branches cost nothing at any selectivity.
#include "families.h"

#if SYSOPT_X86_KERNELS
#include <immintrin.h>
#endif

#include <type_traits>

namespace sysopt::kernels {
namespace {

using Compare = Predicate::Compare;

template <Compare kCompare>
SYSOPT_INLINE bool Passes(double value, double against) {
  if constexpr (kCompare == Compare::kLess) return value < against;
  if constexpr (kCompare == Compare::kLessEqual) return value <= against;
  if constexpr (kCompare == Compare::kGreater) return value > against;
  if constexpr (kCompare == Compare::kGreaterEqual) return value >= against;
  if constexpr (kCompare == Compare::kEqual) return value == against;
  return value != against;
}

// One test for every operator on integers: (x & mask) - low <= high - low in unsigned arithmetic.
template <typename T>
struct InRange {
  using U = std::make_unsigned_t<T>;
  U low;
  U span;
  U mask;
  bool inverted;
  explicit InRange(const Predicate& predicate)
      : low(static_cast<U>(predicate.low)),
        span(static_cast<U>(static_cast<U>(predicate.high) - static_cast<U>(predicate.low))),
        mask(static_cast<U>(predicate.mask)),
        inverted(predicate.inverted) {}
  SYSOPT_INLINE bool operator()(T value) const {
    return (static_cast<U>((static_cast<U>(value) & mask) - low) <= span) != inverted;
  }
};

template <typename T, Compare kCompare>
struct Against {
  double value;
  explicit Against(const Predicate& predicate) : value(predicate.value) {}
  SYSOPT_INLINE bool operator()(T each) const { return Passes<kCompare>(static_cast<double>(each), value); }
};

struct ScalarFilter {
  template <typename T, typename Test>
  static SYSOPT_INLINE std::size_t Tile(const T* values, std::size_t count, const Test& test, std::uint32_t base,
                                        std::uint32_t* out, std::size_t /*room*/) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
      out[found] = base + static_cast<std::uint32_t>(i);
      found += test(values[i]);
    }
    return found;
  }
};

#if SYSOPT_X86_KERNELS

// For each byte, the lanes whose bits are set, in order.
struct Permutations {
  alignas(64) std::uint64_t lanes[256];
  constexpr Permutations() : lanes() {
    for (unsigned bits = 0; bits < 256; ++bits) {
      unsigned at = 0;
      for (unsigned lane = 0; lane < 8; ++lane) {
        if (bits & (1u << lane)) lanes[bits] |= static_cast<std::uint64_t>(lane) << (8 * at++);
      }
    }
  }
};
constexpr Permutations kPermutations;

struct Avx2Indices {
  SYSOPT_AVX2 static inline std::size_t Emit(std::uint64_t bits, std::uint32_t base, std::uint32_t* out) {
    std::size_t found = 0;
    for (int byte = 0; byte < 8; ++byte, bits >>= 8, base += 8) {
      const __m128i order = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&kPermutations.lanes[bits & 255]));
      const __m256i lanes = _mm256_cvtepu8_epi32(order);
      const __m256i indices = _mm256_add_epi32(lanes, _mm256_set1_epi32(static_cast<int>(base)));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + found), indices);
      found += static_cast<std::size_t>(__builtin_popcountll(bits & 255));
    }
    return found;
  }
};

struct Avx512Indices {
  SYSOPT_AVX512 static inline std::size_t Emit(std::uint64_t bits, std::uint32_t base, std::uint32_t* out) {
    const __m512i iota = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    std::size_t found = 0;
    for (int part = 0; part < 4; ++part, bits >>= 16, base += 16) {
      const auto mask = static_cast<__mmask16>(bits);
      const __m512i indices = _mm512_add_epi32(iota, _mm512_set1_epi32(static_cast<int>(base)));
      // Into a register, then out: compressing straight into memory is slow on some CPUs.
      _mm512_storeu_si512(out + found, _mm512_maskz_compress_epi32(mask, indices));
      found += static_cast<std::size_t>(__builtin_popcountll(mask));
    }
    return found;
  }
};

// 64 outcomes as bits, by vectors of 32 bytes.
template <typename T, typename Test>
struct Avx2Bits;

template <typename T>
struct Avx2Bits<T, InRange<T>> {
  SYSOPT_AVX2 static inline std::uint64_t Of(const T* values, const InRange<T>& test) {
    using U = typename InRange<T>::U;
    using V = Vector<U, 32>;
    constexpr std::size_t kEach = 32 / sizeof(T);
    const V low = V{} + test.low;
    const V span = V{} + test.span;
    const V mask = V{} + test.mask;
    std::uint64_t bits = 0;
    if constexpr (sizeof(T) == 1) {
      for (std::size_t k = 0; k < 64; k += kEach) {
        V pass_values;
        Load(pass_values, values + k);
        const auto pass = ((pass_values & mask) - low) <= span;
        bits |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8((__m256i)pass))) << k;
      }
    } else if constexpr (sizeof(T) == 2) {
      for (std::size_t k = 0; k < 64; k += 2 * kEach) {
        V first_values;
        Load(first_values, values + k);
        const auto first = ((first_values & mask) - low) <= span;
        V second_values;
        Load(second_values, values + k + kEach);
        const auto second = ((second_values & mask) - low) <= span;
        const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16((__m256i)first, (__m256i)second), 0xd8);
        bits |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(packed))) << k;
      }
    } else if constexpr (sizeof(T) == 4) {
      for (std::size_t k = 0; k < 64; k += kEach) {
        V pass_values;
        Load(pass_values, values + k);
        const auto pass = ((pass_values & mask) - low) <= span;
        bits |= static_cast<std::uint64_t>(_mm256_movemask_ps((__m256)pass)) << k;
      }
    } else {
      for (std::size_t k = 0; k < 64; k += kEach) {
        V pass_values;
        Load(pass_values, values + k);
        const auto pass = ((pass_values & mask) - low) <= span;
        bits |= static_cast<std::uint64_t>(_mm256_movemask_pd((__m256d)pass)) << k;
      }
    }
    return test.inverted ? ~bits : bits;
  }
};

template <typename T, Compare kCompare>
struct Avx2Bits<T, Against<T, kCompare>> {
  SYSOPT_AVX2 static inline std::uint64_t Of(const T* values, const Against<T, kCompare>& test) {
    constexpr int kCode = kCompare == Compare::kLess           ? _CMP_LT_OQ
                          : kCompare == Compare::kLessEqual    ? _CMP_LE_OQ
                          : kCompare == Compare::kGreater      ? _CMP_GT_OQ
                          : kCompare == Compare::kGreaterEqual ? _CMP_GE_OQ
                          : kCompare == Compare::kEqual        ? _CMP_EQ_OQ
                                                               : _CMP_NEQ_UQ;
    const __m256d against = _mm256_set1_pd(test.value);
    std::uint64_t bits = 0;
    for (std::size_t k = 0; k < 64; k += 4) {
      __m256d each;
      if constexpr (sizeof(T) == 8) {
        each = _mm256_loadu_pd(reinterpret_cast<const double*>(values) + k);
      } else {
        each = _mm256_cvtps_pd(_mm_loadu_ps(reinterpret_cast<const float*>(values) + k));
      }
      bits |= static_cast<std::uint64_t>(_mm256_movemask_pd(_mm256_cmp_pd(each, against, kCode))) << k;
    }
    return bits;
  }
};

// `room` is what `out` holds: the vector steps write whole vectors, so the last ones are left to the scalar step.
#define SYSOPT_FILTER_TILE(target, Indices)                                                                    \
  template <typename T, typename Test>                                                                         \
  target static inline std::size_t Tile(const T* values, std::size_t count, const Test& test,                  \
                                        std::uint32_t base, std::uint32_t* out, std::size_t room) {            \
    std::size_t found = 0;                                                                                     \
    std::size_t i = 0;                                                                                         \
    for (; i + 64 <= count && found + 64 + 16 <= room; i += 64) {                                              \
      found += Indices::Emit(Avx2Bits<T, Test>::Of(values + i, test), base + static_cast<std::uint32_t>(i),    \
                             out + found);                                                                     \
    }                                                                                                          \
    return found + ScalarFilter::Tile(values + i, count - i, test, base + static_cast<std::uint32_t>(i),       \
                                      out + found, room - found);                                              \
  }
struct Avx2Filter {
  SYSOPT_FILTER_TILE(SYSOPT_AVX2, Avx2Indices)
};
struct Avx512Filter {
  SYSOPT_FILTER_TILE(SYSOPT_AVX512, Avx512Indices)
};
#undef SYSOPT_FILTER_TILE

#endif  // SYSOPT_X86_KERNELS

// Each tile but the last leaves as much room behind it as there are values to come, so nothing is written past `out`.
template <typename Body, typename T, typename Test>
std::size_t FilterWith(const Column& column, const Predicate& predicate, std::uint32_t* out) {
  const Test test(predicate);
  const std::size_t count = column.count;
  if (column.Contiguous()) {
    return Body::Tile(static_cast<const T*>(column.data), count, test, 0, out, count);
  }
  alignas(64) T tile[kTile];
  std::size_t found = 0;
  for (std::size_t start = 0; start < count; start += kTile) {
    const std::size_t length = count - start < kTile ? count - start : kTile;
    Pack(column, start, length, tile);
    found += Body::Tile(static_cast<const T*>(tile), length, test, static_cast<std::uint32_t>(start), out + found,
                        count - found);
  }
  return found;
}

template <typename Body, typename T>
std::size_t FilterFloats(const Column& column, const Predicate& predicate, std::uint32_t* out) {
  switch (predicate.compare) {
    case Compare::kLess:
      return FilterWith<Body, T, Against<T, Compare::kLess>>(column, predicate, out);
    case Compare::kLessEqual:
      return FilterWith<Body, T, Against<T, Compare::kLessEqual>>(column, predicate, out);
    case Compare::kGreater:
      return FilterWith<Body, T, Against<T, Compare::kGreater>>(column, predicate, out);
    case Compare::kGreaterEqual:
      return FilterWith<Body, T, Against<T, Compare::kGreaterEqual>>(column, predicate, out);
    case Compare::kEqual:
      return FilterWith<Body, T, Against<T, Compare::kEqual>>(column, predicate, out);
    default:
      return FilterWith<Body, T, Against<T, Compare::kNotEqual>>(column, predicate, out);
  }
}

template <typename Body>
std::size_t FilterColumn(const Column& column, const Predicate& predicate, std::uint32_t* out) {
  switch (column.element) {
    case Element::kU8:
      return FilterWith<Body, std::uint8_t, InRange<std::uint8_t>>(column, predicate, out);
    case Element::kI8:
      return FilterWith<Body, std::int8_t, InRange<std::int8_t>>(column, predicate, out);
    case Element::kU16:
      return FilterWith<Body, std::uint16_t, InRange<std::uint16_t>>(column, predicate, out);
    case Element::kI16:
      return FilterWith<Body, std::int16_t, InRange<std::int16_t>>(column, predicate, out);
    case Element::kU32:
      return FilterWith<Body, std::uint32_t, InRange<std::uint32_t>>(column, predicate, out);
    case Element::kI32:
      return FilterWith<Body, std::int32_t, InRange<std::int32_t>>(column, predicate, out);
    case Element::kU64:
      return FilterWith<Body, std::uint64_t, InRange<std::uint64_t>>(column, predicate, out);
    case Element::kI64:
      return FilterWith<Body, std::int64_t, InRange<std::int64_t>>(column, predicate, out);
    case Element::kF32:
      return FilterFloats<Body, float>(column, predicate, out);
    default:
      return FilterFloats<Body, double>(column, predicate, out);
  }
}

}  // namespace

std::size_t FilterReference(const Column& column, const Predicate& predicate, std::uint32_t* out) {
  return FilterColumn<ScalarFilter>(column, predicate, out);
}

#if SYSOPT_X86_KERNELS
std::size_t FilterAvx2(const Column& column, const Predicate& predicate, std::uint32_t* out) {
  return FilterColumn<Avx2Filter>(column, predicate, out);
}
std::size_t FilterAvx512(const Column& column, const Predicate& predicate, std::uint32_t* out) {
  return FilterColumn<Avx512Filter>(column, predicate, out);
}
#endif

}  // namespace sysopt::kernels
