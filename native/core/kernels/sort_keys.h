// What is sorted: unsigned integers in the order of the values, alone or with the index that each came from; and the
// three ways to sort them. Shared by sorting on one thread (order.cc) and by parts (sort_job.cc). All are stable.
//
// By merging where there are few keys, or few ascending runs of them: two branch-free merges at a time, one from either end
// of the output (bidirectional, after Lukas Bergdoll's driftsort).
//
// Else by the top digits: a few thousand keys differ in their topmost twenty bits or so, and the forty below move nothing.
// So keys are counted from the least one, sorted by two or three digits (least significant first) just below the topmost
// bit in which any differ, and what then still stands in the wrong order is put right by insertion. How crowded the top
// digit is says how many digits to take.
//
// Else, where keys crowd together however many digits are taken, by radix over all bytes, least significant first, those
// that do not differ skipped.
#ifndef SYSOPT_CORE_KERNELS_SORT_KEYS_H_
#define SYSOPT_CORE_KERNELS_SORT_KEYS_H_

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>
#include <utility>

#include "column.h"

namespace sysopt::kernels {

template <typename T>
using KeyOf = std::conditional_t<
    sizeof(T) == 8, std::uint64_t,
    std::conditional_t<sizeof(T) == 4, std::uint32_t,
                       std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint8_t>>>;

// -0 before +0, every NaN last and the same.
template <typename T>
SYSOPT_INLINE KeyOf<T> ToKey(T value) {
  using Key = KeyOf<T>;
  constexpr Key kSign = static_cast<Key>(Key{1} << (8 * sizeof(T) - 1));
  Key bits;
  std::memcpy(&bits, &value, sizeof bits);
  if constexpr (std::is_floating_point_v<T>) {
    const Key key = static_cast<Key>(bits ^ ((bits & kSign) != 0 ? static_cast<Key>(~Key{0}) : kSign));
    return value != value ? static_cast<Key>(~Key{0}) : key;
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<Key>(bits ^ kSign);
  } else {
    return bits;
  }
}

template <typename T>
SYSOPT_INLINE T FromKey(KeyOf<T> key) {
  using Key = KeyOf<T>;
  constexpr Key kSign = static_cast<Key>(Key{1} << (8 * sizeof(T) - 1));
  if constexpr (std::is_floating_point_v<T>) {
    key = static_cast<Key>(key ^ ((key & kSign) != 0 ? kSign : static_cast<Key>(~Key{0})));
  } else if constexpr (std::is_signed_v<T>) {
    key = static_cast<Key>(key ^ kSign);
  }
  T value;
  std::memcpy(&value, &key, sizeof value);
  return value;
}

template <typename Key>
struct Indexed {
  Key key;
  std::uint32_t index;
};
template <typename Key>
SYSOPT_INLINE Key KeyIn(Key item) {
  return item;
}
template <typename Key>
SYSOPT_INLINE Key KeyIn(const Indexed<Key>& item) {
  return item.key;
}

// --- By radix ----------------------------------------------------------------------------------------------

inline constexpr std::size_t kDigits = 256;

template <typename Key>
using Counts = std::array<std::array<std::uint32_t, kDigits>, sizeof(Key)>;

template <typename Key>
SYSOPT_INLINE void CountDigits(Key key, Counts<Key>& counts) {
#pragma GCC unroll 8
  for (std::size_t digit = 0; digit < sizeof(Key); ++digit) ++counts[digit][(key >> (8 * digit)) & 255];
}

// Sorts `from` by way of `to`; returns the one of both that has the result.
template <typename Key, typename Item>
Item* SortByRadix(Item* from, Item* to, std::size_t count) {
  Counts<Key> counts = {};
  for (std::size_t i = 0; i < count; ++i) CountDigits<Key>(KeyIn(from[i]), counts);
  for (std::size_t digit = 0; digit < sizeof(Key); ++digit) {
    const std::size_t shift = 8 * digit;
    std::array<std::uint32_t, kDigits> places;
    std::uint32_t place = 0;
    bool differs = true;
    for (std::size_t k = 0; k < kDigits; ++k) {
      places[k] = place;
      place += counts[digit][k];
      differs &= counts[digit][k] != count;
    }
    if (!differs) continue;
    for (std::size_t i = 0; i < count; ++i) {
      const Item item = from[i];
      to[places[(KeyIn(item) >> shift) & 255]++] = item;
    }
    std::swap(from, to);
  }
  return from;
}

// --- By merging --------------------------------------------------------------------------------------------

// Merges neighbours, `left` before `left_end` = `right` before `right_end`. Of equal keys the left one comes first.
template <typename Item>
SYSOPT_INLINE void Merge(const Item* left, const Item* right, const Item* right_end, Item* out) {
  const Item* const left_end = right;
  const auto lefts = left_end - left;
  const auto rights = right_end - right;
  if (lefts == rights && lefts > 0) {
    // As many steps from each end as a side has items: neither can run out.
    const Item* last_left = left_end - 1;
    const Item* last_right = right_end - 1;
    Item* last = out + 2 * lefts - 1;
    for (auto k = lefts; k > 0; --k) {
      const bool is_right = KeyIn(*right) < KeyIn(*left);
      const Item* const first = is_right ? right : left;  // of addresses: compilers make no branch of it
      *out++ = *first;
      right += is_right;
      left += !is_right;
      const bool is_left = KeyIn(*last_right) < KeyIn(*last_left);
      const Item* const final = is_left ? last_left : last_right;
      *last-- = *final;
      last_left -= is_left;
      last_right -= !is_left;
    }
    return;
  }
  while (left < left_end && right < right_end) {
    const bool is_right = KeyIn(*right) < KeyIn(*left);
    const Item* const first = is_right ? right : left;
    *out++ = *first;
    right += is_right;
    left += !is_right;
  }
  std::copy(right, right_end, std::copy(left, left_end, out));
}

// Sorts `from` by way of `to`; returns the one of both that has the result.
template <typename Item>
Item* SortByMerging(Item* from, Item* to, std::size_t count) {
  constexpr std::size_t kInserted = 4;
  for (std::size_t start = 0; start < count; start += kInserted) {
    const std::size_t end = std::min(start + kInserted, count);
    for (std::size_t i = start + 1; i < end; ++i) {
      const Item item = from[i];
      std::size_t at = i;
      for (; at > start && KeyIn(item) < KeyIn(from[at - 1]); --at) from[at] = from[at - 1];
      from[at] = item;
    }
  }
  for (std::size_t width = kInserted; width < count; width *= 2) {
    for (std::size_t start = 0; start < count; start += 2 * width) {
      const std::size_t middle = std::min(start + width, count);
      const std::size_t end = std::min(start + 2 * width, count);
      Merge(from + start, from + middle, from + end, to + start);
    }
    std::swap(from, to);
  }
  return from;
}

// --- By the top digits -------------------------------------------------------------------------------------

inline constexpr unsigned kTopBits = 11;  // of a digit, at most: 2048 open ends are as many pages as a page table caches
inline constexpr unsigned kTopDigits = 3;

// Bits of a digit: tables much longer than there are keys would take more time than the keys.
inline unsigned TopBitsFor(std::size_t count) {
  const unsigned bits = static_cast<unsigned>(std::bit_width(count)) - 3;
  return std::clamp(bits, 6u, kTopBits);
}

// Puts right what is nearly sorted. Gives up, the items still in an order of equals as they came, after four moves an item.
template <typename Item>
bool Mend(Item* items, std::size_t count) {
  std::size_t left = 4 * count;
  for (std::size_t i = 1; i < count; ++i) {
    if (KeyIn(items[i - 1]) <= KeyIn(items[i])) continue;
    const Item item = items[i];
    std::size_t at = i;
    do {
      items[at] = items[at - 1];
      --at;
    } while (at > 0 && KeyIn(item) < KeyIn(items[at - 1]));
    items[at] = item;
    if (i - at > left) return false;
    left -= i - at;
  }
  return true;
}

// Below, merging costs less than counting all digits and moving each key once for each of its bytes.
template <typename Key>
inline constexpr std::size_t kRadixFrom = sizeof(Key) == 8 ? 512 : sizeof(Key) == 4 ? 256 : 96;

// Whatever the keys are like.
template <typename Key, typename Item>
Item* SortCrowded(Item* from, Item* to, std::size_t count) {
  return count < kRadixFrom<Key> ? SortByMerging(from, to, count) : SortByRadix<Key>(from, to, count);
}

using TopCounts = std::array<std::uint32_t, std::size_t{1} << kTopBits>;

template <typename Key, typename Item>
void MoveByDigit(const Item* from, Item* to, std::size_t count, Key least, unsigned shift, std::uint32_t mask,
                 TopCounts& counts) {
  std::uint32_t place = 0;
  for (std::size_t k = 0; k <= mask; ++k) {
    const std::uint32_t length = counts[k];
    counts[k] = place;
    place += length;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Item item = from[i];
    to[counts[static_cast<std::uint32_t>((KeyIn(item) - least) >> shift) & mask]++] = item;
  }
}

// Sorts `from` by way of `to`; returns the one of both that has the result. `count` is at least 8.
template <typename Key, typename Item>
Item* SortByTopDigits(Item* from, Item* to, std::size_t count) {
  Key least = KeyIn(from[0]);
  Key greatest = least;
  for (std::size_t i = 1; i < count; ++i) {
    const Key key = KeyIn(from[i]);
    least = key < least ? key : least;
    greatest = key > greatest ? key : greatest;
  }
  const unsigned width = static_cast<unsigned>(std::bit_width(static_cast<Key>(greatest - least)));
  if (width == 0) return from;
  const unsigned bits = TopBitsFor(count);
  const std::uint32_t mask = (std::uint32_t{1} << bits) - 1;
  // Where each digit begins, from the top one down. Digits that begin at the lowest bit may overlap: keys that agree in
  // one agree in the part of the other.
  unsigned shifts[kTopDigits];
  for (unsigned digit = 0; digit < kTopDigits; ++digit) {
    shifts[digit] = width > (digit + 1) * bits ? width - (digit + 1) * bits : 0;
  }
  TopCounts counts[kTopDigits];
  for (unsigned digit = 0; digit < 2; ++digit) std::fill_n(counts[digit].begin(), mask + 1, 0u);
  for (std::size_t i = 0; i < count; ++i) {
    const Key key = static_cast<Key>(KeyIn(from[i]) - least);
    ++counts[0][static_cast<std::uint32_t>(key >> shifts[0]) & mask];
    ++counts[1][static_cast<std::uint32_t>(key >> shifts[1]) & mask];
  }
  // Keys that share the digits taken with one key, were the lower ones spread evenly.
  unsigned digits = shifts[0] == 0 ? 1 : 2;
  if (shifts[1] > 0) {
    double together = 0;
    for (std::size_t k = 0; k <= mask; ++k) together += static_cast<double>(counts[0][k]) * counts[0][k];
    together /= static_cast<double>(count) * (mask + 1.0);
    if (together > 1) {
      if (shifts[2] > 0 && together > mask) return SortCrowded<Key>(from, to, count);
      digits = 3;
      std::fill_n(counts[2].begin(), mask + 1, 0u);
      for (std::size_t i = 0; i < count; ++i) {
        ++counts[2][static_cast<std::uint32_t>((KeyIn(from[i]) - least) >> shifts[2]) & mask];
      }
    }
  }
  for (unsigned digit = digits; digit-- > 0;) {
    MoveByDigit<Key>(from, to, count, least, shifts[digit], mask, counts[digit]);
    std::swap(from, to);
  }
  if (shifts[digits - 1] == 0 || Mend(from, count)) return from;
  return SortCrowded<Key>(from, to, count);
}

// --- Which of them ---------------------------------------------------------------------------------------

// As many ascending runs are merged where radix would move every key once for each of its bytes.
inline constexpr std::size_t kMergedRuns = 4;

// The ends of ascending runs. Returns how many there are, or kMergedRuns + 1 where there are more.
template <typename Item>
std::size_t FindRuns(const Item* items, std::size_t count, std::size_t* ends) {
  std::size_t runs = 0;
  for (std::size_t i = 1; i < count; ++i) {
    if (KeyIn(items[i]) >= KeyIn(items[i - 1])) continue;
    if (runs == kMergedRuns) return kMergedRuns + 1;
    ends[runs++] = i;
  }
  if (runs == kMergedRuns) return kMergedRuns + 1;
  ends[runs++] = count;
  return runs;
}

template <typename Item>
Item* MergeRuns(Item* from, Item* to, std::size_t* ends, std::size_t runs) {
  while (runs > 1) {
    std::size_t start = 0;
    std::size_t joined = 0;
    for (std::size_t k = 0; k < runs; k += 2) {
      const std::size_t end = k + 1 < runs ? ends[k + 1] : ends[k];
      Merge(from + start, from + ends[k], from + end, to + start);
      ends[joined++] = start = end;
    }
    runs = joined;
    std::swap(from, to);
  }
  return from;
}

// Below, merging costs less than counting two digits and moving each key twice. Of the machine of docs/kernels.md.
template <typename Key>
inline constexpr std::size_t kMergeBelow = sizeof(Key) == 8 ? 64 : 48;

// Sorts `from` by way of `to`; returns the one of both that has the result.
template <typename Key, typename Item>
Item* SortItems(Item* from, Item* to, std::size_t count) {
  if (count < kMergeBelow<Key>) return SortByMerging(from, to, count);
  std::size_t ends[kMergedRuns];
  const std::size_t runs = FindRuns(from, count, ends);
  if (runs <= kMergedRuns) return MergeRuns(from, to, ends, runs);
  return SortByTopDigits<Key>(from, to, count);
}

template <typename Use>
auto ForElement(Element element, Use use) {
  switch (element) {
    case Element::kU8:
      return use(std::uint8_t{});
    case Element::kI8:
      return use(std::int8_t{});
    case Element::kU16:
      return use(std::uint16_t{});
    case Element::kI16:
      return use(std::int16_t{});
    case Element::kU32:
      return use(std::uint32_t{});
    case Element::kI32:
      return use(std::int32_t{});
    case Element::kF32:
      return use(float{});
    case Element::kF64:
      return use(double{});
    case Element::kU64:
      return use(std::uint64_t{});
    default:
      return use(std::int64_t{});
  }
}

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_SORT_KEYS_H_
