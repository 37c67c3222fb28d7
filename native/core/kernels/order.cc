// Least significant digit first, eight bits at a time, all digits counted in one pass and those that do not differ
// skipped. Eight and not more: 256 open ends fit the first-level cache and its page table.
#include "order.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace sysopt::kernels {
namespace {

constexpr std::size_t kDigits = 256;

// --- Keys: unsigned integers in the order of the values ----------------------------------------------------

template <typename T>
using KeyOf = std::conditional_t<
    sizeof(T) == 8, std::uint64_t,
    std::conditional_t<sizeof(T) == 4, std::uint32_t,
                       std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint8_t>>>;

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

// --- Radix sort --------------------------------------------------------------------------------------------

// What is sorted: a key alone, or with the index that it came from.
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

template <typename Key>
using Counts = std::array<std::array<std::uint32_t, kDigits>, sizeof(Key)>;

template <typename Key>
SYSOPT_INLINE void CountDigits(Key key, Counts<Key>& counts) {
#pragma GCC unroll 8
  for (std::size_t digit = 0; digit < sizeof(Key); ++digit) ++counts[digit][(key >> (8 * digit)) & 255];
}

// Sorts `from` by way of `to`; returns the one of both that has the result.
template <typename Key, typename Item>
Item* Radix(Item* from, Item* to, std::size_t count, const Counts<Key>& counts) {
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

template <typename T>
void SortAs(T* values, std::size_t count, void* scratch) {
  using Key = KeyOf<T>;
  Key* const keys = static_cast<Key*>(scratch);
  Counts<Key> counts = {};
  bool sorted = true;
  Key last = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Key key = ToKey(values[i]);
    keys[i] = key;
    sorted &= last <= key;
    last = key;
    CountDigits(key, counts);
  }
  if (sorted) return;
  if constexpr (sizeof(T) == 1) {
    std::size_t at = 0;
    for (std::size_t k = 0; k < kDigits; ++k) {
      const T value = FromKey<T>(static_cast<Key>(k));
      for (std::uint32_t left = counts[0][k]; left > 0; --left) values[at++] = value;
    }
  } else {
    const Key* const result = Radix<Key>(keys, keys + count, count, counts);
    for (std::size_t i = 0; i < count; ++i) values[i] = FromKey<T>(result[i]);
  }
}

template <typename T>
void ArgsortAs(const T* values, std::size_t count, std::uint32_t* out, void* scratch) {
  using Key = KeyOf<T>;
  auto* const items = static_cast<Indexed<Key>*>(scratch);
  Counts<Key> counts = {};
  for (std::size_t i = 0; i < count; ++i) {
    const Key key = ToKey(values[i]);
    items[i] = {key, static_cast<std::uint32_t>(i)};
    CountDigits(key, counts);
  }
  const Indexed<Key>* const result = Radix<Key>(items, items + count, count, counts);
  for (std::size_t i = 0; i < count; ++i) out[i] = result[i].index;
}

// --- Order statistics --------------------------------------------------------------------------------------

// Below this many keys sorting them all costs less than narrowing further.
constexpr std::size_t kNarrowAbove = 1024;
constexpr std::size_t kSelectBits = 11;
constexpr std::size_t kSelectSlots = std::size_t{1} << kSelectBits;

// Narrows the keys to those that share their top bits with the key of the wanted rank, until few are left.
// `shift` is the number of bits below those already known to be equal. Destroys the order of the keys.
template <typename Key>
void SelectWithin(Key* keys, std::size_t count, std::size_t shift, const std::uint32_t* ranks, std::size_t rank_count,
                  std::size_t before, Key* out) {
  std::array<std::uint32_t, kSelectSlots> slots;
  while (count > kNarrowAbove && shift > 0) {
    const std::size_t bits = shift < kSelectBits ? shift : kSelectBits;
    const std::size_t next = shift - bits;
    const Key mask = static_cast<Key>((std::size_t{1} << bits) - 1);
    slots.fill(0);
    for (std::size_t i = 0; i < count; ++i) ++slots[(keys[i] >> next) & mask];
    std::size_t slot = 0;
    std::size_t start = before;
    while (start + slots[slot] <= ranks[0]) start += slots[slot++];
    // Ranks that part ways are found by sorting: narrowing would have to keep a copy for each.
    if (ranks[rank_count - 1] >= start + slots[slot]) break;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Key key = keys[i];
      keys[kept] = key;
      kept += ((key >> next) & mask) == slot;
    }
    count = kept;
    before = start;
    shift = next;
  }
  if (shift == 0 || count == 1) {
    for (std::size_t k = 0; k < rank_count; ++k) out[k] = keys[0];
    return;
  }
  std::size_t from = 0;
  for (std::size_t k = 0; k < rank_count; ++k) {
    const std::size_t place = ranks[k] - before;
    if (k == 0 || place >= from) {
      std::nth_element(keys + from, keys + place, keys + count);
      from = place + 1;
    }
    out[k] = keys[place];
  }
}

template <typename T>
std::size_t SelectAs(const T* values, std::size_t count, const std::uint32_t* ranks, std::size_t rank_count,
                     double* out, void* scratch) {
  using Key = KeyOf<T>;
  constexpr std::size_t kWidth = 8 * sizeof(Key);
  constexpr std::size_t kFirst = kWidth < kSelectBits ? kWidth : kSelectBits;
  constexpr std::size_t kShift = kWidth - kFirst;
  Key* const keys = static_cast<Key*>(scratch);
  Key* const kept = keys + count;
  std::array<std::uint32_t, kSelectSlots> slots = {};
  std::size_t nans = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Key key = ToKey(values[i]);
    keys[i] = key;
    if constexpr (std::is_floating_point_v<T>) nans += key == static_cast<Key>(~Key{0});
    ++slots[key >> kShift];
  }
  std::size_t slot = 0;
  std::size_t start = 0;
  for (std::size_t k = 0; k < rank_count;) {
    while (start + slots[slot] <= ranks[k]) start += slots[slot++];
    std::size_t together = 1;
    while (k + together < rank_count && ranks[k + together] < start + slots[slot]) ++together;
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Key key = keys[i];
      kept[found] = key;
      found += (key >> kShift) == slot;
    }
    Key results[16];
    for (std::size_t done = 0; done < together; done += 16) {
      const std::size_t some = together - done < 16 ? together - done : 16;
      SelectWithin(kept, found, kShift, ranks + k + done, some, start, results);
      for (std::size_t j = 0; j < some; ++j) out[k + done + j] = static_cast<double>(FromKey<T>(results[j]));
      if (done + some < together) {  // narrowing lost what the next ones need
        found = 0;
        for (std::size_t i = 0; i < count; ++i) {
          const Key key = keys[i];
          kept[found] = key;
          found += (key >> kShift) == slot;
        }
      }
    }
    k += together;
  }
  return nans;
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

}  // namespace

std::size_t SortScratch(Element element, std::size_t count) { return 2 * count * ElementBytes(element); }

std::size_t ArgsortScratch(Element element, std::size_t count) {
  return ForElement(element, [count](auto zero) { return 2 * count * sizeof(Indexed<KeyOf<decltype(zero)>>); });
}

// One key more: narrowing writes every key and keeps the place.
std::size_t SelectScratch(Element element, std::size_t count) { return (2 * count + 1) * ElementBytes(element); }

void Sort(Element element, void* values, std::size_t count, void* scratch) {
  ForElement(element, [=](auto zero) { SortAs(static_cast<decltype(zero)*>(values), count, scratch); });
}

void Argsort(Element element, const void* values, std::size_t count, std::uint32_t* out, void* scratch) {
  ForElement(element, [=](auto zero) { ArgsortAs(static_cast<const decltype(zero)*>(values), count, out, scratch); });
}

std::size_t Select(Element element, const void* values, std::size_t count, const std::uint32_t* ranks,
                   std::size_t rank_count, double* out, void* scratch) {
  return ForElement(element, [=](auto zero) {
    return SelectAs(static_cast<const decltype(zero)*>(values), count, ranks, rank_count, out, scratch);
  });
}

}  // namespace sysopt::kernels
