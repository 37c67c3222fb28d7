#include "cgroup.h"

#include <limits>

#include "text.h"

namespace sysopt::procfs {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Version 1 writes no limit as the largest multiple of the page size in 63 bits.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 62;

// Whether a list like "cpu,cpuacct" has a name.
bool ListHas(std::string_view list, std::string_view name) noexcept {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == name) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

}  // namespace

// Lines such as `4:memory:/docker/1f…` and, for version 2, `0::/system.slice`. A path may hold colons.
std::string_view FindCgroupPath(std::string_view text, std::string_view controller) noexcept {
  while (!text.empty()) {
    const std::string_view line = TakeLine(&text);
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    const bool matches = controller.empty() ? controllers.empty() : ListHas(controllers, controller);
    if (matches && path.starts_with('/')) return path;
  }
  return {};
}

// `35 31 0:32 <root> <point> rw,relatime … - cgroup cgroup rw,memory`: a variable number of fields before the
// dash.
bool FindCgroupMount(std::string_view text, std::string_view controller, CgroupMount* out) noexcept {
  while (!text.empty()) {
    std::string_view line = TakeLine(&text);
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    std::string_view after = line.substr(dash + 3);
    const std::string_view type = TakeWord(&after);
    TakeWord(&after);  // the source
    if (controller.empty() ? type != "cgroup2" : type != "cgroup" || !ListHas(TakeWord(&after), controller)) {
      continue;
    }
    for (int i = 0; i < 3; ++i) TakeWord(&line);
    const std::string_view root = TakeWord(&line);
    const std::string_view point = TakeWord(&line);
    if (root.empty() || point.empty()) continue;
    *out = {root, point};
    return true;
  }
  return false;
}

std::string_view PathBelowMount(const CgroupMount& mount, std::string_view path) noexcept {
  if (mount.root != "/") {
    const bool below =
        path.starts_with(mount.root) && (path.size() == mount.root.size() || path[mount.root.size()] == '/');
    // A path elsewhere, as with a mount of the container's own group: the mount itself is the group.
    path = below ? path.substr(mount.root.size()) : std::string_view();
  }
  return path == "/" ? std::string_view() : path;
}

bool ParseCpuMax(std::string_view text, double* quota_cpus) noexcept {
  const std::string_view quota = TakeWord(&text);
  std::uint64_t quota_us = 0;
  std::uint64_t period_us = 0;
  if (!ParseNumber(TakeWord(&text), &period_us) || period_us == 0) return false;
  if (quota == "max") {
    *quota_cpus = kInfinity;
    return true;
  }
  if (!ParseNumber(quota, &quota_us)) return false;
  *quota_cpus = static_cast<double>(quota_us) / static_cast<double>(period_us);
  return true;
}

bool ParseLimit(std::string_view text, double* limit) noexcept {
  const std::string_view word = TakeWord(&text);
  std::uint64_t value = 0;
  // Version 1's CPU quota is -1 where there is none.
  if (word == "max" || word == "-1") {
    *limit = kInfinity;
    return true;
  }
  if (!ParseNumber(word, &value)) return false;
  *limit = value >= kUnlimited ? kInfinity : static_cast<double>(value);
  return true;
}

bool HasWord(std::string_view text, std::string_view name) noexcept {
  for (std::string_view word = TakeWord(&text); !word.empty(); word = TakeWord(&text)) {
    if (word == name) return true;
  }
  return false;
}

}  // namespace sysopt::procfs
