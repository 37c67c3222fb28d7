// What the kernel reports about this process, its threads, its control group and the host: os/ reads, procfs/
// parses, this joins them.
//
// A figure that this host does not give is NaN. Nothing here fails as a whole; elsewhere than on Linux the
// figures that procfs would give are NaN.
#ifndef SYSOPT_CORE_FIGURES_FIGURES_H_
#define SYSOPT_CORE_FIGURES_FIGURES_H_

#include <cstddef>
#include <cstdint>

namespace sysopt::figures {

// tid, on CPU ns, runnable ns, timeslices, last CPU.
inline constexpr std::size_t kThreadColumns = 5;
// user ns, system ns, minor faults, major faults, voluntary switches, involuntary switches, resident bytes,
// threads, open descriptors.
inline constexpr std::size_t kProcessColumns = 9;
// user, nice, system, idle, iowait, irq, softirq, steal: ns over all CPUs.
inline constexpr std::size_t kHostCpuColumns = 8;
// rss, pss, shared clean, shared dirty, private clean, private dirty, anonymous, anonymous huge, swap: bytes.
inline constexpr std::size_t kMemoryMapColumns = 9;
// CPU usage ns, periods, throttled periods, throttled ns, quota in CPUs, memory bytes, memory limit bytes. A
// limit is infinite where there is none.
inline constexpr std::size_t kCgroupColumns = 7;
// cpu, memory, io: share of the last ten seconds in which some task waited.
inline constexpr std::size_t kPressureColumns = 3;

// Fills at most `rows` rows; returns the number of threads, which may be larger.
std::size_t ReadThreads(double* out, std::size_t rows) noexcept;
void ReadProcess(double* out) noexcept;
void ReadHostCpu(double* out) noexcept;
void ReadMemoryMap(double* out) noexcept;
void ReadCgroup(double* out) noexcept;
void ReadPressure(double* out) noexcept;

inline constexpr std::size_t kMaxCpuStatPath = 4096 + 64;

// Path of the control group's cpu.stat, terminated; false where there is no such group.
bool FindCpuStat(char (&path)[kMaxCpuStatPath]) noexcept;

inline constexpr std::size_t kMaxThreadName = 16;  // with the terminator

// Name of a thread of this process (0: the caller), terminated; empty where it is gone or unknown.
void ReadThreadName(std::uint32_t tid, char (&name)[kMaxThreadName]) noexcept;

}  // namespace sysopt::figures

#endif  // SYSOPT_CORE_FIGURES_FIGURES_H_
