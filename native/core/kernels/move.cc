// Moving values without looking at them: gathering and scattering by index, and records between orders of storage. Loads and stores
// of one width; wider vectors gain nothing where every value has its own address.
#include "kernels.h"

namespace sysopt::kernels {
namespace {

template <typename T>
std::size_t GatherAs(const Column& column, const std::uint32_t* indices, std::size_t count, void* to) {
  const T* data = static_cast<const T*>(column.data);
  T* out = static_cast<T*>(to);
  const auto* from = static_cast<const volatile std::uint32_t*>(indices);
  std::size_t i = 0;
  if (column.Contiguous()) {
    const std::size_t limit = column.count;
    for (; i + 4 <= count; i += 4) {
      const std::uint32_t a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];
      if ((a >= limit) | (b >= limit) | (c >= limit) | (d >= limit)) break;
      out[i] = data[a];
      out[i + 1] = data[b];
      out[i + 2] = data[c];
      out[i + 3] = data[d];
    }
  }
  for (; i < count; ++i) {
    const std::uint32_t index = from[i];
    if (index >= column.count) return i;
    out[i] = data[Place<T>(column, index)];
  }
  return count;
}

template <typename T>
std::size_t ScatterAs(const Column& column, const std::uint32_t* indices, void* to, std::size_t limit) {
  const T* data = static_cast<const T*>(column.data);
  T* out = static_cast<T*>(to);
  const auto* into = static_cast<const volatile std::uint32_t*>(indices);
  std::size_t i = 0;
  for (; i + 4 <= column.count; i += 4) {
    const std::uint32_t a = into[i], b = into[i + 1], c = into[i + 2], d = into[i + 3];
    if ((a >= limit) | (b >= limit) | (c >= limit) | (d >= limit)) break;
    out[a] = data[i];
    out[b] = data[i + 1];
    out[c] = data[i + 2];
    out[d] = data[i + 3];
  }
  for (; i < column.count; ++i) {
    const std::uint32_t index = into[i];
    if (index >= limit) return i;
    out[index] = data[i];
  }
  return column.count;
}

// A block's worth at a time, so that the compiler sees a constant stride test outside of the loop.
template <typename T>
void MoveRun(const Move& move, std::size_t start, std::size_t count) {
  for (std::size_t i = 0; i < count;) {
    const std::size_t record = start + i;
    const std::size_t in_block = record & (kBlock - 1);
    std::size_t length = count - i;
    const std::byte* from = move.from;
    std::byte* to = move.to;
    if (move.from_block != 0 || move.to_block != 0) length = length < kBlock - in_block ? length : kBlock - in_block;
    from += move.from_block != 0 ? (record >> kBlockShift) * move.from_block + in_block * move.from_stride
                                 : record * move.from_stride;
    to += move.to_block != 0 ? (record >> kBlockShift) * move.to_block + in_block * move.to_stride
                             : record * move.to_stride;
    i += length;
    std::size_t k = 0;
    for (; k + 4 <= length; k += 4) {
      T a, b, c, d;
      Load(a, from);
      Load(b, from + move.from_stride);
      Load(c, from + 2 * move.from_stride);
      Load(d, from + 3 * move.from_stride);
      Store(to, a);
      Store(to + move.to_stride, b);
      Store(to + 2 * move.to_stride, c);
      Store(to + 3 * move.to_stride, d);
      from += 4 * move.from_stride;
      to += 4 * move.to_stride;
    }
    for (; k < length; ++k, from += move.from_stride, to += move.to_stride) {
      T value;
      Load(value, from);
      Store(to, value);
    }
  }
}

void MoveBytes(const Move& move, std::size_t start, std::size_t count) {
  for (std::size_t i = start; i < start + count; ++i) {
    const std::size_t block = i >> kBlockShift;
    const std::size_t in_block = i & (kBlock - 1);
    const std::size_t from = move.from_block != 0 ? block * move.from_block + in_block * move.from_stride
                                                  : i * move.from_stride;
    const std::size_t to =
        move.to_block != 0 ? block * move.to_block + in_block * move.to_stride : i * move.to_stride;
    std::memcpy(move.to + to, move.from + from, move.bytes);
  }
}

}  // namespace

std::size_t Gather(const Column& column, const std::uint32_t* indices, std::size_t count, void* out) {
  switch (ElementBytes(column.element)) {
    case 1:
      return GatherAs<std::uint8_t>(column, indices, count, out);
    case 2:
      return GatherAs<std::uint16_t>(column, indices, count, out);
    case 4:
      return GatherAs<std::uint32_t>(column, indices, count, out);
    default:
      return GatherAs<std::uint64_t>(column, indices, count, out);
  }
}

std::size_t Scatter(const Column& column, const std::uint32_t* indices, void* out, std::size_t out_count) {
  switch (ElementBytes(column.element)) {
    case 1:
      return ScatterAs<std::uint8_t>(column, indices, out, out_count);
    case 2:
      return ScatterAs<std::uint16_t>(column, indices, out, out_count);
    case 4:
      return ScatterAs<std::uint32_t>(column, indices, out, out_count);
    default:
      return ScatterAs<std::uint64_t>(column, indices, out, out_count);
  }
}

void MoveRecords(const Move* moves, std::size_t move_count, std::size_t count) {
  // So many records at a time that their lines are still cached when the next field is moved.
  constexpr std::size_t kRecords = 128;
  for (std::size_t start = 0; start < count; start += kRecords) {
    const std::size_t length = count - start < kRecords ? count - start : kRecords;
    for (std::size_t k = 0; k < move_count; ++k) {
      switch (moves[k].bytes) {
        case 1:
          MoveRun<std::uint8_t>(moves[k], start, length);
          break;
        case 2:
          MoveRun<std::uint16_t>(moves[k], start, length);
          break;
        case 4:
          MoveRun<std::uint32_t>(moves[k], start, length);
          break;
        case 8:
          MoveRun<std::uint64_t>(moves[k], start, length);
          break;
        default:
          MoveBytes(moves[k], start, length);
      }
    }
  }
}

}  // namespace sysopt::kernels
