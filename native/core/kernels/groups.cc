// Kernels whose stores depend on the data: group sums, and the values that pass. No wider vectors than the pair of sum
// and count: two values of one group would collide in one.
#include "arrays.h"

namespace sysopt::kernels {
namespace {

template <typename Key, typename Value>
std::size_t GroupSumAs(const Column& keys, const Column& values, std::size_t groups, GroupEntry* entries) {
  const auto* key = static_cast<const volatile Key*>(keys.data);  // read once: another thread may write
  const Value* value = static_cast<const Value*>(values.data);
  const std::size_t split = groups <= kSplitGroups ? 4 : 1;
  const std::size_t mask = keys.count < kSequentialBelow ? 0 : split - 1;
  for (std::size_t i = 0; i < keys.count; ++i) {
    const auto group = static_cast<std::size_t>(static_cast<std::uint32_t>(key[i]));
    if (group >= groups) return i;
    GroupEntry& entry = entries[group * split + (i & mask)];
    entry.sum += static_cast<double>(value[i]);
    entry.count += 1;
  }
  return keys.count;
}

template <typename Key>
std::size_t GroupSumBy(const Column& keys, const Column& values, std::size_t groups, GroupEntry* entries) {
  switch (values.element) {
    case Element::kU8:
      return GroupSumAs<Key, std::uint8_t>(keys, values, groups, entries);
    case Element::kI8:
      return GroupSumAs<Key, std::int8_t>(keys, values, groups, entries);
    case Element::kU16:
      return GroupSumAs<Key, std::uint16_t>(keys, values, groups, entries);
    case Element::kI16:
      return GroupSumAs<Key, std::int16_t>(keys, values, groups, entries);
    case Element::kU32:
      return GroupSumAs<Key, std::uint32_t>(keys, values, groups, entries);
    case Element::kI32:
      return GroupSumAs<Key, std::int32_t>(keys, values, groups, entries);
    case Element::kF32:
      return GroupSumAs<Key, float>(keys, values, groups, entries);
    default:
      return GroupSumAs<Key, double>(keys, values, groups, entries);
  }
}

template <typename T>
std::size_t CompactAs(const Kernels& kernels, const Column& values, const Predicate& predicate, T* out) {
  std::uint32_t indices[kTile];
  const T* from = static_cast<const T*>(values.data);
  std::size_t found = 0;
  for (std::size_t start = 0; start < values.count; start += kTile) {
    Column tile = values;
    tile.data = from + start;
    tile.count = values.count - start < kTile ? values.count - start : kTile;
    const std::size_t passed = kernels.filter(tile, predicate, indices);
    const T* const at = from + start;
    T* const to = out + found;
    std::size_t k = 0;
    for (; k + 4 <= passed; k += 4) {
      const T a = at[indices[k]], b = at[indices[k + 1]], c = at[indices[k + 2]], d = at[indices[k + 3]];
      to[k] = a;
      to[k + 1] = b;
      to[k + 2] = c;
      to[k + 3] = d;
    }
    for (; k < passed; ++k) to[k] = at[indices[k]];
    found += passed;
  }
  return found;
}

}  // namespace

std::size_t GroupSum(const Column& keys, const Column& values, std::size_t groups, GroupEntry* entries) {
  switch (keys.element) {
    case Element::kU8:
      return GroupSumBy<std::uint8_t>(keys, values, groups, entries);
    case Element::kU16:
      return GroupSumBy<std::uint16_t>(keys, values, groups, entries);
    default:  // a negative i32 is beyond every number of groups
      return GroupSumBy<std::uint32_t>(keys, values, groups, entries);
  }
}

std::size_t Compact(const Kernels& kernels, const Column& values, const Predicate& predicate, void* out) {
  switch (ElementBytes(values.element)) {
    case 1:
      return CompactAs(kernels, values, predicate, static_cast<std::uint8_t*>(out));
    case 2:
      return CompactAs(kernels, values, predicate, static_cast<std::uint16_t*>(out));
    case 4:
      return CompactAs(kernels, values, predicate, static_cast<std::uint32_t*>(out));
    default:
      return CompactAs(kernels, values, predicate, static_cast<std::uint64_t*>(out));
  }
}

}  // namespace sysopt::kernels
