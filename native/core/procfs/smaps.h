// /proc/<pid>/smaps and smaps_rollup.
#ifndef SYSOPT_CORE_PROCFS_SMAPS_H_
#define SYSOPT_CORE_PROCFS_SMAPS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sysopt::procfs {

// Huge pages in one address range, from an smaps file fed in pieces that end anywhere.
//
// smaps counts per mapping, and the kernel merges neighbouring mappings. So a count belongs to the range only
// where the mapping lies inside it, has no huge pages, or consists of nothing else.
class SmapsRange {
 public:
  SmapsRange(std::uint64_t start, std::uint64_t end) noexcept : start_(start), end_(end) {}

  void Feed(std::string_view piece) noexcept;

  // Whether the mappings seen cover the whole range: false for a truncated or foreign file.
  bool Covered() const noexcept { return overlap_total_ == end_ - start_; }
  bool HugeKnown() const noexcept { return known_; }
  std::uint64_t HugeBytes() const noexcept { return huge_; }

 private:
  void Line(std::string_view line) noexcept;

  const std::uint64_t start_;
  const std::uint64_t end_;
  std::uint64_t mapping_size_ = 0;
  std::uint64_t overlap_ = 0;
  std::uint64_t overlap_total_ = 0;
  std::uint64_t huge_ = 0;
  bool known_ = true;
  // The beginning of a line whose end has not come yet. Longer lines are paths; their tail does not matter.
  char pending_[256];
  std::size_t pending_length_ = 0;
};

// Every figure in bytes; false where a key is missing (kernels differ), and the figure is then 0.
struct MemoryMap {
  struct Figure {
    std::uint64_t bytes = 0;
    bool known = false;
  };
  Figure rss, pss, shared_clean, shared_dirty, private_clean, private_dirty, anonymous, anonymous_huge, swap;
};

MemoryMap ParseSmapsRollup(std::string_view text) noexcept;

}  // namespace sysopt::procfs

#endif  // SYSOPT_CORE_PROCFS_SMAPS_H_
