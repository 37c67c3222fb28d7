// Control groups, versions 1 and 2: where a process' group is mounted, and what its files say. No I/O.
#ifndef SYSOPT_CORE_PROCFS_CGROUP_H_
#define SYSOPT_CORE_PROCFS_CGROUP_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sysopt::procfs {

// The path of a process in one hierarchy, from /proc/<pid>/cgroup. `controller` as in "memory"; empty for the
// hierarchy of version 2. Empty result where there is none; otherwise it starts with '/'.
std::string_view FindCgroupPath(std::string_view cgroup_text, std::string_view controller) noexcept;

// Where a hierarchy is mounted, and which of its directories that shows.
struct CgroupMount {
  std::string_view root;
  std::string_view point;
};

// From /proc/<pid>/mountinfo. `controller` as above.
bool FindCgroupMount(std::string_view mountinfo_text, std::string_view controller, CgroupMount* out) noexcept;

// The part of `path` that lies below the mount: inside a container the path may be the host's, of which the
// mount shows only what is under its root. "" or starts with '/'.
std::string_view PathBelowMount(const CgroupMount& mount, std::string_view path) noexcept;

// cpu.max (version 2): "max 100000" or "50000 100000".
bool ParseCpuMax(std::string_view text, double* quota_cpus) noexcept;

// A file with one number, or with "max" or version 1's huge number for no limit: infinite.
bool ParseLimit(std::string_view text, double* limit) noexcept;

// Whether `name` is one of the words in the text (cgroup.controllers).
bool HasWord(std::string_view text, std::string_view name) noexcept;

}  // namespace sysopt::procfs

#endif  // SYSOPT_CORE_PROCFS_CGROUP_H_
