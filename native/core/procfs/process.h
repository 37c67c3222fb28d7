// /proc/<pid>/{stat,schedstat,status,statm}, /proc/stat and /proc/pressure. Text in, numbers out: no I/O.
#ifndef SYSOPT_CORE_PROCFS_PROCESS_H_
#define SYSOPT_CORE_PROCFS_PROCESS_H_

#include <cstdint>
#include <string_view>

namespace sysopt::procfs {

struct SchedStat {
  std::uint64_t on_cpu_ns = 0;
  std::uint64_t runnable_ns = 0;
  std::uint64_t timeslices = 0;
};

// /proc/<pid>/task/<tid>/schedstat: three numbers.
bool ParseSchedStat(std::string_view text, SchedStat* out) noexcept;

struct Stat {
  char state = 0;
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t last_cpu = 0;
};

// /proc/<pid>/stat and /proc/<pid>/task/<tid>/stat. The name in it may hold blanks, brackets and line breaks.
bool ParseStat(std::string_view text, Stat* out) noexcept;

struct ThreadStatus {
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
};

// /proc/<pid>/task/<tid>/status.
bool ParseStatus(std::string_view text, ThreadStatus* out) noexcept;

// /proc/<pid>/statm: resident pages.
bool ParseResidentPages(std::string_view text, std::uint64_t* pages) noexcept;

inline constexpr int kHostCpuFields = 8;

// The `cpu` line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in ticks. Returns how
// many there are (old kernels have fewer).
int ParseHostCpu(std::string_view text, std::uint64_t (&ticks)[kHostCpuFields]) noexcept;

// The ten-second average of the `some` line of a pressure file, as a share of 0 to 1.
bool ParsePressure(std::string_view text, double* share) noexcept;

}  // namespace sysopt::procfs

#endif  // SYSOPT_CORE_PROCFS_PROCESS_H_
