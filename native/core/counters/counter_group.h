// Performance counters that start together, are read together and say honestly what they cover.
//
// Method. Every event is opened alone first, without the kernel part: an unprivileged process that asks for
// the kernel part is refused with EACCES before the kernel looks whether the event exists, and would report a
// missing PMU as a missing permission. What opens is then put into a group, so that events cover the same
// instants and one read of a microsecond gets all. What does not fit into a group leads another. Software
// events have groups of their own: in a hardware group they would be multiplexed with it.
//
// Hardware events stay without the kernel part, so that figures compare between hosts of different
// permissions. Software events include it where that is permitted: a context switch happens in the kernel,
// and without that part the count stays at 0.
//
// Counters run from Open() until Close(); a measurement is the difference of two reads. Stopping and starting
// by ioctl would cost some 200 empty native calls.
#ifndef SYSOPT_CORE_COUNTERS_COUNTER_GROUP_H_
#define SYSOPT_CORE_COUNTERS_COUNTER_GROUP_H_

#include <cstddef>
#include <cstdint>

#include "../os/os.h"
#include "../status.h"

namespace sysopt::counters {

inline constexpr std::uint32_t kHardwareType = 0;  // PERF_TYPE_HARDWARE
inline constexpr std::uint32_t kSoftwareType = 1;  // PERF_TYPE_SOFTWARE

struct EventSpec {
  std::uint32_t type = 0;
  std::uint64_t config = 0;
};

// Figures per event in Read(): value, time enabled ns, time running ns.
inline constexpr std::size_t kReadColumns = 3;

class CounterGroup {
 public:
  static constexpr std::size_t kMaxEvents = 64;

  struct Event {
    EventSpec spec;
    // 0 where open, else the POSIX error that refused it.
    int error = 0;
    bool excludes_kernel = false;
  };

  CounterGroup() noexcept = default;
  CounterGroup(const CounterGroup&) = delete;
  CounterGroup& operator=(const CounterGroup&) = delete;
  ~CounterGroup() { Close(); }

  // Opens what can be had on the calling thread; `inherit`: and on every thread it starts later. Refusals are
  // per event. EINVAL for more than kMaxEvents. Call once.
  Status Open(const EventSpec* specs, std::size_t count, bool inherit) noexcept;

  // Fills kReadColumns figures per event; NaN for one that is not open. From any thread.
  Status Read(double* out) const noexcept;

  // Closes every descriptor. May be called again.
  void Close() noexcept;

  std::size_t size() const noexcept { return count_; }
  const Event& event(std::size_t index) const noexcept { return slots_[index].event; }

 private:
  struct Slot {
    Event event;
    int descriptor = -1;
    // Descriptor of the leader, its own for a leader; -1 where not open.
    int leader = -1;
    // Place among the values of its group.
    std::size_t position = 0;
  };

  void OpenSlot(Slot* slot, bool inherit) noexcept;
  // The last group that events of this type may join; null where there is none.
  const Slot* LastOfKind(bool software) const noexcept;

  Slot slots_[kMaxEvents];
  std::size_t count_ = 0;
};

// Whether counters of either kind work here: 0, or the error that refuses them. ENODATA for a hardware
// counter that opens but does not count.
int ProbeSoftware() noexcept;
int ProbeHardware() noexcept;

}  // namespace sysopt::counters

#endif  // SYSOPT_CORE_COUNTERS_COUNTER_GROUP_H_
