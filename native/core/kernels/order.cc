#include "order.h"

#include "sort_keys.h"

namespace sysopt::kernels {
namespace {

template <typename T>
void SortAs(T* values, std::size_t count, void* scratch) {
  using Key = KeyOf<T>;
  if constexpr (sizeof(T) == 1) {
    std::array<std::uint32_t, kDigits> counts = {};
    const auto* from = static_cast<const volatile T*>(values);  // read once: another thread may write
    for (std::size_t i = 0; i < count; ++i) ++counts[ToKey<T>(from[i])];
    std::size_t at = 0;
    for (std::size_t k = 0; k < kDigits; ++k) {
      const T value = FromKey<T>(static_cast<Key>(k));
      for (std::uint32_t left = counts[k]; left > 0; --left) values[at++] = value;
    }
  } else {
    Key* const keys = static_cast<Key*>(scratch);
    bool is_sorted = true;
    Key last = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Key key = ToKey(values[i]);
      keys[i] = key;
      is_sorted &= last <= key;
      last = key;
    }
    if (is_sorted) return;
    const Key* const result = SortItems<Key>(keys, keys + count, count);
    for (std::size_t i = 0; i < count; ++i) values[i] = FromKey<T>(result[i]);
  }
}

template <typename T>
void ArgsortAs(const T* values, std::size_t count, std::uint32_t* out, void* scratch) {
  using Key = KeyOf<T>;
  auto* const items = static_cast<Indexed<Key>*>(scratch);
  for (std::size_t i = 0; i < count; ++i) items[i] = {ToKey(values[i]), static_cast<std::uint32_t>(i)};
  const Indexed<Key>* const result = SortItems<Key>(items, items + count, count);
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
