#include "counter_group.h"

#include <cerrno>
#include <limits>

namespace sysopt::counters {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kHeaderNumbers = 3;  // count of values, time enabled, time running

bool IsSoftware(const EventSpec& spec) noexcept { return spec.type == kSoftwareType; }

os::CounterSpec Alone(const EventSpec& event, bool exclude_kernel, bool inherit) noexcept {
  os::CounterSpec spec;
  spec.type = event.type;
  spec.config = event.config;
  spec.exclude_kernel = exclude_kernel;
  spec.inherit = inherit;
  spec.disabled = true;
  return spec;
}

// Opens one event, lets the processor work, and looks whether it counted.
int Probe(const EventSpec& event) noexcept {
  CounterGroup group;
  const Status opened = group.Open(&event, 1, /*inherit=*/false);
  if (!opened.ok()) return opened.error;
  if (group.event(0).error != 0) return group.event(0).error;
  volatile std::uint32_t work = 0;
  for (int i = 0; i < 10'000; ++i) work = work + 1;
  double figures[kReadColumns];
  const Status read = group.Read(figures);
  if (!read.ok()) return read.error;
  return figures[0] > 0 ? 0 : ENODATA;
}

}  // namespace

Status CounterGroup::Open(const EventSpec* specs, std::size_t count, bool inherit) noexcept {
  if (count > kMaxEvents) return Status::Fail(EINVAL, "perf_event_open", "too many events");
  for (std::size_t i = 0; i < count; ++i) {
    Slot& slot = slots_[i];
    slot = Slot();
    slot.event.spec = specs[i];
    OpenSlot(&slot, inherit);
    count_ = i + 1;
  }
  for (std::size_t i = 0; i < count_; ++i) {
    Slot& slot = slots_[i];
    if (slot.descriptor < 0 || slot.descriptor != slot.leader) continue;
    const Status enabled = os::CounterEnable(slot.leader);
    if (enabled.ok()) continue;
    for (std::size_t j = 0; j < count_; ++j) {
      if (slots_[j].leader == slot.leader) slots_[j].event.error = enabled.error;
    }
  }
  return Status::Ok();
}

void CounterGroup::OpenSlot(Slot* slot, bool inherit) noexcept {
  Event& event = slot->event;
  event.excludes_kernel = true;
  int alone = -1;
  const Status probed = os::CounterOpen(Alone(event.spec, true, inherit), &alone);
  if (!probed.ok()) {
    event.error = probed.error;
    return;
  }
  if (IsSoftware(event.spec)) {
    int with_kernel = -1;
    if (os::CounterOpen(Alone(event.spec, false, inherit), &with_kernel).ok()) {
      os::CounterClose(alone);
      alone = with_kernel;
      event.excludes_kernel = false;
    }
  }
  if (const Slot* const last = LastOfKind(IsSoftware(event.spec))) {
    os::CounterSpec joining = Alone(event.spec, event.excludes_kernel, inherit);
    joining.disabled = false;  // follows its leader
    joining.group = last->leader;
    int joined = -1;
    if (os::CounterOpen(joining, &joined).ok()) {
      os::CounterClose(alone);
      slot->descriptor = joined;
      slot->leader = last->leader;
      slot->position = last->position + 1;
      return;
    }
  }
  slot->descriptor = alone;
  slot->leader = alone;
}

const CounterGroup::Slot* CounterGroup::LastOfKind(bool software) const noexcept {
  for (std::size_t i = count_; i-- > 0;) {
    if (slots_[i].descriptor >= 0 && IsSoftware(slots_[i].event.spec) == software) return &slots_[i];
  }
  return nullptr;
}

Status CounterGroup::Read(double* out) const noexcept {
  for (std::size_t i = 0; i < count_ * kReadColumns; ++i) out[i] = kUnknown;
  for (std::size_t i = 0; i < count_; ++i) {
    const Slot& leader = slots_[i];
    if (leader.descriptor < 0 || leader.descriptor != leader.leader || leader.event.error != 0) continue;
    std::uint64_t numbers[kHeaderNumbers + kMaxEvents];
    std::size_t count = 0;
    const Status status =
        os::CounterRead(leader.descriptor, numbers, sizeof numbers / sizeof *numbers, &count);
    if (!status.ok()) return status;
    for (std::size_t j = i; j < count_; ++j) {
      const Slot& slot = slots_[j];
      if (slot.leader != leader.descriptor || kHeaderNumbers + slot.position >= count) continue;
      out[j * kReadColumns] = static_cast<double>(numbers[kHeaderNumbers + slot.position]);
      out[j * kReadColumns + 1] = static_cast<double>(numbers[1]);
      out[j * kReadColumns + 2] = static_cast<double>(numbers[2]);
    }
  }
  return Status::Ok();
}

void CounterGroup::Close() noexcept {
  // Members before leaders: a leader that goes first turns its members into groups of their own.
  for (std::size_t i = count_; i-- > 0;) {
    if (slots_[i].descriptor >= 0) os::CounterClose(slots_[i].descriptor);
    slots_[i].descriptor = -1;
    slots_[i].leader = -1;
  }
  count_ = 0;
}

int ProbeSoftware() noexcept { return Probe({kSoftwareType, 1}); }  // PERF_COUNT_SW_TASK_CLOCK

int ProbeHardware() noexcept { return Probe({kHardwareType, 1}); }  // PERF_COUNT_HW_INSTRUCTIONS

}  // namespace sysopt::counters
