// The control group of this process. Usage is the group's own; a limit is the tightest of the group and all
// groups above it, since each of them binds.
#include "../procfs/cgroup.h"

#include <cstdio>
#include <limits>
#include <string_view>

#include "../os/os.h"
#include "../procfs/text.h"
#include "figures.h"

namespace sysopt::figures {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxFile = 64 * 1024;

// Cut at the group's own directory or at one above it, down to the mount point.
class GroupPath {
 public:
  bool Set(const procfs::CgroupMount& mount, std::string_view path) noexcept {
    const std::string_view below = procfs::PathBelowMount(mount, path);
    if (mount.point.size() + below.size() >= sizeof path_) return false;
    mount.point.copy(path_, mount.point.size());
    below.copy(path_ + mount.point.size(), below.size());
    length_ = mount.point.size() + below.size();
    mount_length_ = mount.point.size();
    return true;
  }

  // One directory up. False at the mount point.
  bool Up() noexcept {
    if (length_ <= mount_length_) return false;
    const std::size_t slash = std::string_view(path_, length_).rfind('/');
    length_ = slash == std::string_view::npos || slash < mount_length_ ? mount_length_ : slash;
    return true;
  }

  void ToMount() noexcept { length_ = mount_length_; }

  void Name(const char* name, char* out, std::size_t capacity) const noexcept {
    std::snprintf(out, capacity, "%.*s/%s", static_cast<int>(length_), path_, name);
  }

  // Reads a file of the directory into `buffer`; empty where that is not possible.
  std::string_view Read(const char* name, char* buffer, std::size_t capacity) const noexcept {
    char file[kMaxPath + 64];
    Name(name, file, sizeof file);
    std::size_t length = 0;
    return os::ReadFile(file, buffer, capacity, &length).ok() ? std::string_view(buffer, length)
                                                              : std::string_view();
  }

 private:
  char path_[kMaxPath];
  std::size_t length_ = 0;
  std::size_t mount_length_ = 0;
};

struct Hierarchies {
  // Both live as long as the views into them.
  char cgroup[kMaxFile / 4];
  char mountinfo[kMaxFile];
  std::string_view memberships;
  std::string_view mounts;

  bool Read() noexcept {
    std::size_t length = 0;
    if (!os::ReadFile("/proc/self/cgroup", cgroup, sizeof cgroup, &length).ok()) return false;
    memberships = {cgroup, length};
    if (!os::ReadFile("/proc/self/mountinfo", mountinfo, sizeof mountinfo, &length).ok()) return false;
    mounts = {mountinfo, length};
    return true;
  }

  // The group that `controller` works in. A hybrid host mounts a version 2 tree too, without controllers.
  bool Find(const char* controller, GroupPath* path, int* version) const noexcept {
    procfs::CgroupMount mount;
    const std::string_view legacy = procfs::FindCgroupPath(memberships, controller);
    if (!legacy.empty() && procfs::FindCgroupMount(mounts, controller, &mount) && path->Set(mount, legacy)) {
      *version = 1;
      return true;
    }
    const std::string_view unified = procfs::FindCgroupPath(memberships, "");
    if (unified.empty() || !procfs::FindCgroupMount(mounts, "", &mount) || !path->Set(mount, unified)) {
      return false;
    }
    char text[1024];
    GroupPath top = *path;
    top.ToMount();
    *version = 2;
    return procfs::HasWord(top.Read("cgroup.controllers", text, sizeof text), controller);
  }
};

double FileNumber(const GroupPath& path, const char* name) noexcept {
  char text[64];
  double value = 0;
  return procfs::ParseLimit(path.Read(name, text, sizeof text), &value) ? value : kUnknown;
}

double StatNumber(std::string_view text, const char* key, double scale) noexcept {
  std::uint64_t value = 0;
  return procfs::FindNumber(text, key, &value) ? static_cast<double>(value) * scale : kUnknown;
}

double QuotaOf(const GroupPath& path, int version) noexcept {
  char text[64];
  double cpus = 0;
  if (version == 2) {
    return procfs::ParseCpuMax(path.Read("cpu.max", text, sizeof text), &cpus) ? cpus : kUnknown;
  }
  return FileNumber(path, "cpu.cfs_quota_us") / FileNumber(path, "cpu.cfs_period_us");
}

// The smallest known limit from the group up to the mount.
template <typename LimitOf>
double Tightest(GroupPath path, LimitOf limit_of) noexcept {
  double tightest = kInfinity;
  do {
    const double limit = limit_of(path);
    if (limit < tightest) tightest = limit;
  } while (path.Up());
  return tightest;
}

void ReadCpu(const Hierarchies& hierarchies, double* out) noexcept {
  GroupPath path;
  int version = 0;
  if (!hierarchies.Find("cpu", &path, &version)) return;
  char text[4096];
  const std::string_view stat = path.Read("cpu.stat", text, sizeof text);
  if (version == 2) {
    out[0] = StatNumber(stat, "usage_usec", 1000);
    out[3] = StatNumber(stat, "throttled_usec", 1000);
  } else {
    GroupPath accounting;
    int ignored = 0;
    if (hierarchies.Find("cpuacct", &accounting, &ignored)) out[0] = FileNumber(accounting, "cpuacct.usage");
    out[3] = StatNumber(stat, "throttled_time", 1);
  }
  out[1] = StatNumber(stat, "nr_periods", 1);
  out[2] = StatNumber(stat, "nr_throttled", 1);
  out[4] = Tightest(path, [version](const GroupPath& group) { return QuotaOf(group, version); });
}

void ReadMemory(const Hierarchies& hierarchies, double* out) noexcept {
  GroupPath path;
  int version = 0;
  if (!hierarchies.Find("memory", &path, &version)) return;
  out[5] = FileNumber(path, version == 2 ? "memory.current" : "memory.usage_in_bytes");
  const char* const limit = version == 2 ? "memory.max" : "memory.limit_in_bytes";
  out[6] = Tightest(path, [limit](const GroupPath& group) { return FileNumber(group, limit); });
}

}  // namespace

bool FindCpuStat(char (&path)[kMaxCpuStatPath]) noexcept {
  Hierarchies hierarchies;
  GroupPath group;
  int version = 0;
  if (!hierarchies.Read() || !hierarchies.Find("cpu", &group, &version)) return false;
  group.Name("cpu.stat", path, sizeof path);
  return true;
}

void ReadCgroup(double* out) noexcept {
  for (std::size_t i = 0; i < kCgroupColumns; ++i) out[i] = kUnknown;
  Hierarchies hierarchies;
  if (!hierarchies.Read()) return;
  ReadCpu(hierarchies, out);
  ReadMemory(hierarchies, out);
}

}  // namespace sysopt::figures
