#include "tick.h"

#include <cstdio>
#include <limits>
#include <string_view>

#include "../os/os.h"
#include "../procfs/process.h"
#include "../procfs/text.h"
#include "figures.h"

namespace sysopt::figures {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr int kNone = -1;

double Number(std::uint64_t value) noexcept { return static_cast<double>(value); }

// The beginning of a kept file; everything read here stands in its first kilobyte.
class Beginning {
 public:
  explicit Beginning(int descriptor) noexcept {
    if (descriptor == kNone || !os::ReadKept(descriptor, buffer_, sizeof buffer_, &length_).ok()) length_ = 0;
  }
  operator std::string_view() const noexcept { return {buffer_, length_}; }

 private:
  char buffer_[1024];
  std::size_t length_ = 0;
};

double Keyed(std::string_view text, const char* key, double scale) noexcept {
  std::uint64_t value = 0;
  return procfs::FindNumber(text, key, &value) ? Number(value) * scale : kUnknown;
}

}  // namespace

void TickReader::Open() noexcept {
  open_ = true;
  char thread[64];
  std::snprintf(thread, sizeof thread, "/proc/self/task/%llu/schedstat",
                static_cast<unsigned long long>(os::ThreadId()));
  char cpu_stat[kMaxCpuStatPath] = "";
  FindCpuStat(cpu_stat);
  const char* const paths[kFiles] = {thread,
                                     "/proc/self/statm",
                                     "/proc/stat",
                                     cpu_stat,
                                     "/proc/pressure/cpu",
                                     "/proc/pressure/memory",
                                     "/proc/pressure/io"};
  for (int i = 0; i < kFiles; ++i) {
    if (paths[i][0] == '\0' || !os::OpenKept(paths[i], &descriptors_[i]).ok()) descriptors_[i] = kNone;
  }
}

void TickReader::Close() noexcept {
  if (!open_) return;
  for (int& descriptor : descriptors_) {
    if (descriptor != kNone) os::CloseKept(descriptor);
    descriptor = kNone;
  }
  open_ = false;
}

void TickReader::Read(double* out) noexcept {
  if (!open_) Open();
  for (std::size_t i = 0; i < kTickColumns; ++i) out[i] = kUnknown;
  procfs::SchedStat sched;
  if (procfs::ParseSchedStat(Beginning(descriptors_[kSchedStat]), &sched)) {
    out[0] = Number(sched.on_cpu_ns);
    out[1] = Number(sched.runnable_ns);
  }
  os::ProcessUsage usage;
  if (os::GetProcessUsage(&usage).ok()) {
    out[2] = Number(usage.user_ns);
    out[3] = Number(usage.system_ns);
    out[4] = Number(usage.minor_faults);
    out[5] = Number(usage.major_faults);
  }
  std::uint64_t pages = 0;
  if (procfs::ParseResidentPages(Beginning(descriptors_[kStatM]), &pages)) {
    out[6] = Number(pages * os::PageSize());
  }
  std::uint64_t ticks[procfs::kHostCpuFields] = {};
  const int known = procfs::ParseHostCpu(Beginning(descriptors_[kHostStat]), ticks);
  for (int i = 0; i < known; ++i) out[7 + i] = Number(ticks[i]) * Number(os::TickNs());
  const Beginning group(descriptors_[kCpuStat]);
  out[15] = Keyed(group, "nr_periods", 1);
  out[16] = Keyed(group, "nr_throttled", 1);
  const double microseconds = Keyed(group, "throttled_usec", 1000);  // version 2
  out[17] = microseconds == microseconds ? microseconds : Keyed(group, "throttled_time", 1);
  for (int i = 0; i < 3; ++i) {
    double share = 0;
    if (procfs::ParsePressure(Beginning(descriptors_[kPressureCpu + i]), &share)) out[18 + i] = share;
  }
}

}  // namespace sysopt::figures
