// A column: one scalar of every record, wherever the order of storage puts it.
#ifndef SYSOPT_CORE_KERNELS_COLUMN_H_
#define SYSOPT_CORE_KERNELS_COLUMN_H_

#include <cstddef>
#include <cstdint>

#include "simd.h"

namespace sysopt::kernels {

enum class Element : std::uint8_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kF64, kU64, kI64 };
inline constexpr std::size_t kElements = 10;

inline constexpr std::size_t ElementBytes(Element element) {
  constexpr std::size_t kBytes[kElements] = {1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  return kBytes[static_cast<std::size_t>(element)];
}

// Records in a block of an `aosoa` array; equals BLOCK_SHIFT in access-plan.ts.
inline constexpr std::size_t kBlockShift = 4;
inline constexpr std::size_t kBlock = std::size_t{1} << kBlockShift;

// Value i lies `(i >> 4) * block + (i & 15) * stride` elements behind `data` where there are blocks, else
// `i * stride`. The caller answers for the memory; kernels check nothing.
struct Column {
  const void* data = nullptr;
  std::size_t count = 0;
  std::size_t stride = 1;
  std::size_t block = 0;
  Element element = Element::kF64;

  bool Contiguous() const { return block == 0 && stride == 1; }
};

// Values worked on at a time where a column is not contiguous: they are packed into a buffer of 4 KiB at most, which
// stays in the first-level cache. A multiple of the lanes, so that packing does not change the order of sums.
inline constexpr std::size_t kTile = 512;

template <typename T>
SYSOPT_INLINE std::size_t Place(const Column& column, std::size_t i) {
  return column.block == 0 ? i * column.stride
                           : (i >> kBlockShift) * column.block + (i & (kBlock - 1)) * column.stride;
}

// Copies values `start` to `start + count` side by side; `start` is a multiple of a block.
template <typename T>
SYSOPT_INLINE void Pack(const Column& column, std::size_t start, std::size_t count, T* out) {
  const T* data = static_cast<const T*>(column.data);
  const std::size_t stride = column.stride;
  if (column.block == 0) {
    const T* from = data + start * stride;
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4, from += 4 * stride) {
      const T a = from[0], b = from[stride], c = from[2 * stride], d = from[3 * stride];
      out[i] = a;
      out[i + 1] = b;
      out[i + 2] = c;
      out[i + 3] = d;
    }
    for (; i < count; ++i, from += stride) out[i] = *from;
    return;
  }
  for (std::size_t i = 0; i < count; i += kBlock) {
    const T* from = data + ((start + i) >> kBlockShift) * column.block;
    const std::size_t length = count - i < kBlock ? count - i : kBlock;
    if (stride == 1 && length == kBlock) {
      std::memcpy(out + i, from, kBlock * sizeof(T));
    } else {
      for (std::size_t k = 0; k < length; ++k) out[i + k] = from[k * stride];
    }
  }
}

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_COLUMN_H_
