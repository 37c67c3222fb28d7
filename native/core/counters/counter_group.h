// Performance counters that start together, are read together and say honestly what they cover.
//
// Method. Every event is opened alone first, without the kernel part: an unprivileged process that asks for
// the kernel part is refused with EACCES before the kernel looks whether the event exists, and would report a
// missing PMU as a missing permission. What opens joins the first group that takes it, so that events cover the
// same instants and one read of a microsecond gets all; what no group takes leads another. Cycles and
// instructions come first, so that they share a group whatever else was asked for. Software events have groups of
// their own: in a hardware group they would be multiplexed with it.
//
// How many events a group may have is found by trial. The kernel refuses what the processor could never count
// together, but accepts what only something else (its watchdog) keeps from running; so each hardware group is
// started alone over a known loop, and one that gets no time is split. The same loop finds events that open and do
// not count, as some hypervisors emulate them.
//
// Hardware events leave the kernel part out unless asked for, so that figures compare between hosts of different
// permissions. Software events include it where that is permitted: a context switch happens in the kernel,
// and without that part the count stays at 0.
//
// Counters run from Open() until Close(); a measurement is the difference of two reads. Stopping and starting
// by ioctl would cost some 200 empty native calls.
//
// Reading without the kernel needs every event of a group on the processor, and the thread that opened it: on
// another thread the instruction returns that thread's figures without a word. Else one read a group.
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
  std::uint64_t config1 = 0;
  // Cannot be 0 over any work: where it is, the counter does not count.
  bool must_count = false;
  // Asks for the kernel part of a hardware event too. Software events always ask.
  bool include_kernel = false;
};

// Figures per event in Read(): value, time enabled ns, time running ns.
inline constexpr std::size_t kReadColumns = 3;

class CounterGroup {
 public:
  static constexpr std::size_t kMaxEvents = 64;

  struct Event {
    EventSpec spec;
    // 0 where open, else the POSIX error that refused it: ENODATA where it opens and does not count, EBUSY where
    // it gets no time on the processor.
    int error = 0;
    bool excludes_kernel = false;
    // Events of one group cover the same instants. -1 where not open.
    int group = -1;
  };

  enum class Way : std::uint8_t {
    kAny,
    kKernel,  // through the kernel even where the page would do
  };

  CounterGroup() noexcept = default;
  CounterGroup(const CounterGroup&) = delete;
  CounterGroup& operator=(const CounterGroup&) = delete;
  ~CounterGroup() { Close(); }

  // Opens what can be had on a thread of this process (`tid` 0: the calling one); `inherit`: and on every thread
  // it starts later. Refusals are per event. Another thread's counters are not tested by a loop, which would not
  // run there. EINVAL for more than kMaxEvents. Call once.
  Status Open(const EventSpec* specs, std::size_t count, bool inherit, std::uint32_t tid = 0) noexcept;

  // Fills kReadColumns figures per event; NaN for one that is not open. From any thread. A failure (EIO for fewer
  // numbers than there are events) leaves NaN for the events of that group and fills the others; it is the first.
  // `user_groups`, where not null, gets how many groups were read without the kernel.
  Status Read(double* out, Way way = Way::kAny, std::size_t* user_groups = nullptr) const noexcept;

  // Closes every descriptor and unmaps every page. May be called again.
  void Close() noexcept;

  std::size_t size() const noexcept { return count_; }
  std::size_t groups() const noexcept { return group_count_; }
  const Event& event(std::size_t index) const noexcept { return slots_[index].event; }

 private:
  struct Slot {
    Event event;
    int descriptor = -1;
    // Null where this event can only be read through the kernel.
    const void* page = nullptr;
  };
  // Events that the kernel schedules together, the leader first, in the order of their values.
  struct Members {
    std::uint8_t slots[kMaxEvents] = {};
    std::size_t count = 0;
    bool software = false;
  };

  void OpenSlot(std::size_t index) noexcept;
  bool Join(std::size_t index) noexcept;
  void Lead(std::size_t index, int descriptor) noexcept;
  // Starts a hardware group alone and looks what it counts; splits it where it gets no time.
  void Settle(Members* group) noexcept;
  // Moves the last member of a group into another, or into one of its own.
  void Split(Members* group) noexcept;
  void FindEmulation() noexcept;
  void MapPages() noexcept;
  Status ReadKernel(const Members& group, double* out) const noexcept;
  bool ReadUser(const Members& group, double* out) const noexcept;
  os::CounterSpec SpecOf(const Event& event) const noexcept;

  Slot slots_[kMaxEvents];
  std::size_t count_ = 0;
  Members groups_[kMaxEvents];
  std::size_t group_count_ = 0;
  bool inherit_ = false;
  std::uint32_t tid_ = 0;
  const void* owner_ = nullptr;  // the thread that opened it
};

// Whether counters of either kind work here: 0, or the error that refuses them. ENODATA for a hardware
// counter that opens but does not count.
int ProbeSoftware() noexcept;
int ProbeHardware() noexcept;

}  // namespace sysopt::counters

#endif  // SYSOPT_CORE_COUNTERS_COUNTER_GROUP_H_
