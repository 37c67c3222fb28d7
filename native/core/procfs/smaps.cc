#include "smaps.h"

#include <algorithm>
#include <cstring>

#include "text.h"

namespace sysopt::procfs {
namespace {

constexpr std::uint64_t kMaxKilobytes = UINT64_MAX / 1024;

bool FindBytes(std::string_view text, std::string_view key, std::uint64_t* bytes) noexcept {
  std::uint64_t kilobytes = 0;
  if (!FindNumber(text, key, &kilobytes) || kilobytes > kMaxKilobytes) return false;
  *bytes = kilobytes * 1024;
  return true;
}

}  // namespace

void SmapsRange::Feed(std::string_view piece) noexcept {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    const std::size_t kept = std::min(part.size(), sizeof pending_ - pending_length_);
    std::memcpy(pending_ + pending_length_, part.data(), kept);
    pending_length_ += kept;
    if (end == std::string_view::npos) return;
    Line({pending_, pending_length_});
    pending_length_ = 0;
    piece.remove_prefix(end + 1);
  }
}

void SmapsRange::Line(std::string_view line) noexcept {
  std::string_view rest = line;
  const std::string_view word = TakeWord(&rest);
  const std::size_t dash = word.find('-');
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  if (dash != std::string_view::npos && ParseNumber(word.substr(0, dash), &from, 16) &&
      ParseNumber(word.substr(dash + 1), &to, 16) && from < to) {
    mapping_size_ = to - from;
    const std::uint64_t low = std::max(from, start_);
    const std::uint64_t high = std::min(to, end_);
    overlap_ = low < high ? high - low : 0;
    overlap_total_ += overlap_;
    return;
  }
  std::uint64_t huge = 0;
  if (overlap_ == 0 || word != "AnonHugePages:" || !FindBytes(line, "AnonHugePages", &huge)) return;
  if (huge == 0) return;
  if (overlap_ == mapping_size_) {
    huge_ += huge;
  } else if (huge == mapping_size_) {
    huge_ += overlap_;
  } else {
    known_ = false;
  }
}

MemoryMap ParseSmapsRollup(std::string_view text) noexcept {
  MemoryMap map;
  const auto read = [text](std::string_view key, MemoryMap::Figure* figure) noexcept {
    figure->known = FindBytes(text, key, &figure->bytes);
  };
  read("Rss", &map.rss);
  read("Pss", &map.pss);
  read("Shared_Clean", &map.shared_clean);
  read("Shared_Dirty", &map.shared_dirty);
  read("Private_Clean", &map.private_clean);
  read("Private_Dirty", &map.private_dirty);
  read("Anonymous", &map.anonymous);
  read("AnonHugePages", &map.anonymous_huge);
  read("Swap", &map.swap);
  return map;
}

}  // namespace sysopt::procfs
