// What a sampler reads ten times a second, in one call: the files stay open between the reads, so a tick costs a
// handful of pread(2) instead of three times as many system calls and a walk through /proc's paths.
#ifndef SYSOPT_CORE_FIGURES_TICK_H_
#define SYSOPT_CORE_FIGURES_TICK_H_

#include <cstddef>
#include <cstdint>

namespace sysopt::figures {

// Calling thread: on CPU ns, runnable ns · process: user ns, system ns, minor faults, major faults, resident
// bytes · host: user, nice, system, idle, iowait, irq, softirq, steal ns · control group: periods, throttled
// periods, throttled ns · pressure: cpu, memory, io.
inline constexpr std::size_t kTickColumns = 21;

// Belongs to one thread: the figures of "the calling thread" are those of the thread that read first.
class TickReader {
 public:
  TickReader() noexcept = default;
  TickReader(const TickReader&) = delete;
  TickReader& operator=(const TickReader&) = delete;
  ~TickReader() { Close(); }

  // Opens what is not open yet. NaN for what this host does not give.
  void Read(double* out) noexcept;
  // Gives the descriptors back; the next read opens them again.
  void Close() noexcept;

 private:
  enum File { kSchedStat, kStatM, kHostStat, kCpuStat, kPressureCpu, kPressureMemory, kPressureIo, kFiles };

  void Open() noexcept;

  int descriptors_[kFiles] = {};
  bool open_ = false;
};

}  // namespace sysopt::figures

#endif  // SYSOPT_CORE_FIGURES_TICK_H_
