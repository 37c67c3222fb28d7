// What the kernels share: fixed-width vectors and the ways to compile one body for several instruction sets.
//
// Bodies are templates over the vector's width, written with the compiler's vector extensions (GCC and Clang) and
// forced inline into entry points that carry a target attribute each. Dispatch is by function pointers, set when the
// addon loads: the compiler's own target clones need ifunc, which musl does not load. Rejected: Highway, a good
// library, but a second build system and 3 MB of source for a handful of kernels.
//
// Without vector extensions (MSVC) the scalar reference serves.
#ifndef SYSOPT_CORE_KERNELS_SIMD_H_
#define SYSOPT_CORE_KERNELS_SIMD_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__GNUC__) || defined(__clang__)
#define SYSOPT_VECTORS 1
#define SYSOPT_INLINE __attribute__((always_inline)) inline
#else
#define SYSOPT_VECTORS 0
#define SYSOPT_INLINE inline
#endif

#if SYSOPT_VECTORS && defined(__x86_64__)
#define SYSOPT_X86_KERNELS 1
#define SYSOPT_AVX2 __attribute__((target("avx2")))
#define SYSOPT_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
// Every CPU with AVX2 has these two; the table for AVX2 is only used where they are found too.
#define SYSOPT_AVX2_POPCNT __attribute__((target("avx2,popcnt")))
#define SYSOPT_AVX512_POPCNT __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,popcnt")))
#define SYSOPT_SSE42 __attribute__((target("sse4.2")))
#else
#define SYSOPT_X86_KERNELS 0
#endif

namespace sysopt::kernels {

// Lanes of a blocked sum or dot product: element i goes to lane i % 32. 32 doubles keep two adders of 256 bits busy
// over their latency, and the order is part of the contract: every implementation gives the same bits.
inline constexpr std::size_t kLanes = 32;

// Below this many elements sums go from left to right: there lanes cost more than they save.
inline constexpr std::size_t kSequentialBelow = 128;

#if SYSOPT_VECTORS
template <typename T, std::size_t kBytes>
struct VectorOf {
  typedef T Type __attribute__((vector_size(kBytes)));
};
template <typename T, std::size_t kBytes>
using Vector = typename VectorOf<T, kBytes>::Type;

// Lanes of two vectors of eight doubles: places 0 to 7 are in `a`, 8 to 15 in `b`.
#if defined(__clang__)
#define SYSOPT_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SYSOPT_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, sysopt::kernels::Vector<std::int64_t, 64>{__VA_ARGS__})
#endif
#endif

// Vectors go by reference: passed by value they would belong to the calling convention, which differs by target.
template <typename T>
SYSOPT_INLINE void Load(T& value, const void* from) {
  std::memcpy(&value, from, sizeof value);
}

template <typename T>
SYSOPT_INLINE void Store(void* to, const T& value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_SIMD_H_
