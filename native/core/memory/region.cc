#include "region.h"

#include <cerrno>

#include "../procfs/smaps.h"

namespace sysopt::memory {
namespace {

constexpr bool IsPowerOfTwo(std::size_t value) noexcept { return value && !(value & (value - 1)); }
constexpr std::size_t RoundUp(std::size_t value, std::size_t unit) noexcept {
  return (value + unit - 1) / unit * unit;
}
constexpr std::size_t RoundDown(std::size_t value, std::size_t unit) noexcept { return value / unit * unit; }

struct PageRange {
  void* start;
  std::size_t size;
};

// The pages that a range lies in.
PageRange PagesAround(const void* start, std::size_t size) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(start);
  const std::size_t before = address % os::PageSize();
  return {static_cast<char*>(const_cast<void*>(start)) - before, RoundUp(before + size, os::PageSize())};
}

// The whole pages inside a range; none where it holds not one.
PageRange PagesInside(void* start, std::size_t size, std::size_t page) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(start);
  const std::size_t first = RoundUp(address, page);
  const std::size_t last = RoundDown(address + size, page);
  if (first >= last) return {start, 0};
  return {static_cast<char*>(start) + (first - address), last - first};
}

// Whether huge pages are to be had for a region of this size, and how large they are.
Status PlanHugePages(const RegionRequest& request, std::size_t size, std::size_t* huge_page) noexcept {
  *huge_page = 0;
  if (request.huge_pages == HugePages::kNever) return Status::Ok();
  const std::size_t available = os::HugePageSize();
  if (available != 0 && size >= available) {
    *huge_page = available;
    return Status::Ok();
  }
  if (request.huge_pages == HugePages::kAdvise) return Status::Ok();
  if (available == 0) {
    return Status::Fail(ENOTSUP, "madvise", "transparent huge pages are off or do not exist on this system");
  }
  return Status::Fail(EINVAL, "madvise", "the region is smaller than one huge page");
}

Status Prefault(const os::Mapping& mapping) noexcept {
  const Status populated = os::Populate(mapping.start, mapping.size);
  if (populated.error != ENOTSUP) return populated;
  TouchPages(mapping.start, mapping.size);
  return Status::Ok();
}

// With pages present, `require` can be held to what it says.
Status RequireGranted(const Region& region, std::size_t huge_page) noexcept {
  Residency residency;
  if (const Status status = GetResidency(region, &residency); !status.ok()) return status;
  if (!residency.huge_known || residency.huge_bytes >= RoundDown(region.mapping.size, huge_page)) {
    return Status::Ok();
  }
  return Status::Fail(ENOMEM, "madvise", "the kernel had too few free huge pages");
}

Status Furnish(const RegionRequest& request, std::size_t huge_page, Region* region) noexcept {
  if (request.huge_pages != HugePages::kNever) region->huge_pages = HugePageGrant::kRefused;
  if (huge_page != 0) {
    const Status advised = os::AdviseHuge(region->mapping.start, region->mapping.size);
    if (advised.ok()) region->huge_pages = HugePageGrant::kAdvised;
    if (!advised.ok() && request.huge_pages == HugePages::kRequire) return advised;
  }
  if (!request.prefault) return Status::Ok();
  if (const Status status = Prefault(region->mapping); !status.ok()) return status;
  region->prefaulted = true;
  return request.huge_pages == HugePages::kRequire ? RequireGranted(*region, huge_page) : Status::Ok();
}

}  // namespace

Status CreateRegion(const RegionRequest& request, Region* out) noexcept {
  if (request.size == 0 || request.size > kMaxRegionSize) {
    return Status::Fail(EINVAL, "mmap", "the size is outside 1 to 2^40 bytes");
  }
  if (!IsPowerOfTwo(request.alignment) || request.alignment < kMinAlignment ||
      request.alignment > kMaxAlignment) {
    return Status::Fail(EINVAL, "mmap", "the alignment is no power of two from 8 to 2^30");
  }
  if (request.size > SIZE_MAX - 2 * kMaxAlignment) return Status::Fail(ENOMEM, "mmap");  // 32-bit systems

  const std::size_t page = os::PageSize();
  const std::size_t size = RoundUp(static_cast<std::size_t>(request.size), page);
  std::size_t huge_page = 0;
  if (const Status status = PlanHugePages(request, size, &huge_page); !status.ok()) return status;

  // A huge page must itself be aligned, or the kernel cannot give one at the region's start.
  std::size_t alignment = request.alignment > page ? request.alignment : page;
  if (huge_page > alignment) alignment = huge_page;

  Region region;
  region.alignment = request.alignment;
  if (const Status status = os::Map(size, alignment, &region.mapping); !status.ok()) return status;
  const Status furnished = Furnish(request, huge_page, &region);
  if (!furnished.ok()) {
    static_cast<void>(os::Unmap(region.mapping));  // the first failure is the one to report
    return furnished;
  }
  *out = region;
  return Status::Ok();
}

Status DestroyRegion(const Region& region) noexcept { return os::Unmap(region.mapping); }

Status TrimRegion(const Region& region, std::size_t offset, std::size_t length,
                  std::uint64_t* bytes) noexcept {
  if (offset > region.mapping.size || length > region.mapping.size - offset) {
    return Status::Fail(EINVAL, "madvise", "the range lies outside the region");
  }
  *bytes = 0;
  const std::size_t page = os::PageSize();
  const std::size_t first = RoundUp(offset, page);
  const std::size_t last = RoundDown(offset + length, page);
  if (first >= last) return Status::Ok();
  const Status status = os::Discard(static_cast<char*>(region.mapping.start) + first, last - first);
  if (status.ok()) *bytes = last - first;
  return status;
}

Status GetResidency(const Region& region, Residency* out) noexcept {
  return GetRangeResidency(region.mapping.start, region.mapping.size, out);
}

Status GetRangeResidency(const void* start, std::size_t size, Residency* out) noexcept {
  const PageRange pages = PagesAround(start, size);
  Residency residency;
  const Status counted = os::Resident(pages.start, pages.size, &residency.resident_bytes);
  if (!counted.ok()) return counted;

  const auto address = reinterpret_cast<std::uintptr_t>(pages.start);
  procfs::SmapsRange range(address, address + pages.size);
  const Status streamed = os::StreamFile(
      "/proc/self/smaps",
      [](void* context, std::string_view piece) noexcept {
        static_cast<procfs::SmapsRange*>(context)->Feed(piece);
      },
      &range);
  // Without a memory map to read (or a complete one) only the count of pages is known.
  if (streamed.ok() && range.Covered()) {
    residency.huge_known = range.HugeKnown();
    residency.huge_bytes = range.HugeBytes();
  }
  *out = residency;
  return Status::Ok();
}

void TouchPages(void* start, std::size_t size) noexcept {
  // Reading would map the shared zero page; writing back what was read makes a page of its own.
  volatile char* const bytes = static_cast<volatile char*>(start);
  const std::size_t page = os::PageSize();
  for (std::size_t offset = 0; offset < size; offset += page) bytes[offset] = bytes[offset];
}

Status AdviseHugePages(void* start, std::size_t size) noexcept {
  const std::size_t huge_page = os::HugePageSize();
  if (huge_page == 0) return Status::Fail(ENOTSUP, "madvise", "transparent huge pages are off");
  const PageRange pages = PagesInside(start, size, huge_page);
  if (pages.size == 0) return Status::Fail(EINVAL, "madvise", "the range holds no whole huge page");
  return os::AdviseHuge(pages.start, pages.size);
}

Status DiscardRange(void* start, std::size_t size, std::uint64_t* bytes) noexcept {
  *bytes = 0;
  const PageRange pages = PagesInside(start, size, os::PageSize());
  if (pages.size == 0) return Status::Ok();
  const Status status = os::DiscardForeign(pages.start, pages.size);
  if (status.ok()) *bytes = pages.size;
  return status;
}

Status BindRangeToNode(void* start, std::size_t size, unsigned node) noexcept {
  const PageRange pages = PagesInside(start, size, os::PageSize());
  if (pages.size == 0) return Status::Fail(EINVAL, "mbind", "the range holds no whole page");
  return os::BindToNode(pages.start, pages.size, node);
}

}  // namespace sysopt::memory
