// Any bytes as any of the procfs files: no crash, no overrun, no endless loop.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../core/procfs/cgroup.h"
#include "../core/procfs/process.h"
#include "../core/procfs/smaps.h"

using namespace sysopt::procfs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  SchedStat sched;
  Stat stat;
  ThreadStatus status;
  std::uint64_t number = 0;
  std::uint64_t ticks[kHostCpuFields] = {};
  double value = 0;
  CgroupMount mount;
  static_cast<void>(ParseSchedStat(text, &sched));
  static_cast<void>(ParseStat(text, &stat));
  static_cast<void>(ParseStatus(text, &status));
  static_cast<void>(ParseResidentPages(text, &number));
  static_cast<void>(ParseHostCpu(text, ticks));
  static_cast<void>(ParsePressure(text, &value));
  static_cast<void>(ParseSmapsRollup(text));
  static_cast<void>(ParseCpuMax(text, &value));
  static_cast<void>(ParseLimit(text, &value));
  const std::string_view path = FindCgroupPath(text, "memory");
  if (FindCgroupMount(text, "memory", &mount)) static_cast<void>(PathBelowMount(mount, path));
  SmapsRange range(0x1000, 0x400000);
  range.Feed(text.substr(0, size / 2));
  range.Feed(text.substr(size / 2));
  static_cast<void>(range.HugeBytes());
  return 0;
}
