// Aligned memory outside the JavaScript heap.
//
// A region is one anonymous mapping. Its pages are private, zeroed and, unless prefaulted, not resident.
// A Region is a plain value: whoever holds it calls Destroy() once. No call here is thread-safe for one
// region; different regions are independent.
#ifndef SYSOPT_CORE_MEMORY_REGION_H_
#define SYSOPT_CORE_MEMORY_REGION_H_

#include <cstddef>
#include <cstdint>

#include "../os/os.h"
#include "../status.h"

namespace sysopt::memory {

inline constexpr std::size_t kMinAlignment = 8;
inline constexpr std::size_t kMaxAlignment = std::size_t{1} << 30;
inline constexpr std::uint64_t kMaxRegionSize = std::uint64_t{1} << 40;

enum class HugePages : std::uint8_t { kNever = 0, kAdvise = 1, kRequire = 2 };
enum class HugePageGrant : std::uint8_t { kNone, kAdvised, kRefused };

struct Region {
  os::Mapping mapping;
  std::size_t alignment = 0;
  HugePageGrant huge_pages = HugePageGrant::kNone;
  bool prefaulted = false;
};

struct RegionRequest {
  std::uint64_t size = 0;
  std::size_t alignment = kMinAlignment;
  HugePages huge_pages = HugePages::kNever;
  bool prefault = false;
};

// EINVAL for a size or alignment outside the limits, or for huge pages required of less than one; ENOMEM;
// ENOTSUP for huge pages required where there are none.
Status CreateRegion(const RegionRequest& request, Region* out) noexcept;

Status DestroyRegion(const Region& region) noexcept;

// Gives back the whole pages inside [offset, offset + length), which lies inside the region; `bytes` is how
// much that was.
Status TrimRegion(const Region& region, std::size_t offset, std::size_t length,
                  std::uint64_t* bytes) noexcept;

struct Residency {
  std::uint64_t resident_bytes = 0;
  std::uint64_t huge_bytes = 0;
  // False where the kernel merged the region's mapping with a neighbour's, and the huge pages cannot be told
  // apart.
  bool huge_known = false;
};

// Reads the process' memory map: milliseconds in a large process.
Status GetResidency(const Region& region, Residency* out) noexcept;

// As GetResidency(), for any range of this process.
Status GetRangeResidency(const void* start, std::size_t size, Residency* out) noexcept;

// Gives back the whole pages inside a range that another allocator owns; `bytes` is how much that was. ENOTSUP where
// only the owner may.
Status DiscardRange(void* start, std::size_t size, std::uint64_t* bytes) noexcept;

// Binds the whole pages inside the range to a NUMA node, moving those that are present. ENOSYS or ENOTSUP where there
// are no nodes, EINVAL where this one is not there or the range holds no whole page, EIO where a page could not move.
Status BindRangeToNode(void* start, std::size_t size, unsigned node) noexcept;

// Touches one byte of every page in [start, start + size) without changing it.
void TouchPages(void* start, std::size_t size) noexcept;

// Asks for huge pages in the whole huge pages inside the range. ENOTSUP where there are none, EINVAL where
// the range holds not one.
Status AdviseHugePages(void* start, std::size_t size) noexcept;

}  // namespace sysopt::memory

#endif  // SYSOPT_CORE_MEMORY_REGION_H_
