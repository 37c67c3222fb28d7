// Sorting, sorting of indices, and order statistics, on one thread; see sort_keys.h for how. Nothing here allocates: the
// caller brings scratch memory, and values are read once only, into it, so that a writer on another thread can spoil the
// result but nothing else.
//
// Order: that of `TypedArray.prototype.sort`, -0 before +0 and NaN last. A NaN loses its payload and sign.
#ifndef SYSOPT_CORE_KERNELS_ORDER_H_
#define SYSOPT_CORE_KERNELS_ORDER_H_

#include "column.h"

namespace sysopt::kernels {

// Bytes of scratch, aligned to eight, that a call needs. `count` is below 2^31.
std::size_t SortScratch(Element element, std::size_t count);
std::size_t ArgsortScratch(Element element, std::size_t count);
std::size_t SelectScratch(Element element, std::size_t count);

void Sort(Element element, void* values, std::size_t count, void* scratch);

// Indices of the values in ascending order, equal ones in the order in which they stand.
void Argsort(Element element, const void* values, std::size_t count, std::uint32_t* out, void* scratch);

// out[k] = the value that would stand at ranks[k], were the values sorted, as a double. Ranks ascend and are below
// `count`. Returns how many values are NaN. Not for 64-bit integers.
std::size_t Select(Element element, const void* values, std::size_t count, const std::uint32_t* ranks,
                   std::size_t rank_count, double* out, void* scratch);

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_ORDER_H_
