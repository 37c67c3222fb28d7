#include "counter_group.h"

#include <cerrno>
#include <limits>

namespace sysopt::counters {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kHeaderNumbers = 3;  // count of values, time enabled, time running

// As long as a group waits for its turn where others use the counters: several of the kernel's ticks.
constexpr std::uint64_t kPatienceNs = 30'000'000;
// Signals may interrupt a read; more often than this in a row, something is wrong.
constexpr int kMaxInterruptions = 16;

bool IsSoftware(const EventSpec& spec) noexcept { return spec.type == kSoftwareType; }

// PERF_COUNT_HW_CPU_CYCLES and PERF_COUNT_HW_INSTRUCTIONS.
bool ComesFirst(const EventSpec& spec) noexcept { return spec.type == kHardwareType && spec.config <= 1; }

// The known loop: takes some ten microseconds, executes instructions, branches and cycles in any processor.
void Work() noexcept {
  volatile std::uint32_t work = 0;
  for (int i = 0; i < 10'000; ++i) work = work + 1;
}

// An address that no other living thread has.
const void* ThisThread() noexcept {
  static thread_local char here;
  return &here;
}

Status ReadGroup(int leader, std::uint64_t* numbers, std::size_t members) noexcept {
  std::size_t count = 0;
  Status status;
  for (int i = 0; i < kMaxInterruptions; ++i) {
    status = os::CounterRead(leader, numbers, kHeaderNumbers + CounterGroup::kMaxEvents, &count);
    if (status.error != EINTR) break;
  }
  if (!status.ok()) return status;
  if (count < kHeaderNumbers + members || numbers[0] != members) {
    return Status::Fail(EIO, "read", "the kernel gave fewer values than there are events");
  }
  return Status::Ok();
}

}  // namespace

Status CounterGroup::Open(const EventSpec* specs, std::size_t count, bool inherit, std::uint32_t tid) noexcept {
  if (count > kMaxEvents) return Status::Fail(EINVAL, "perf_event_open", "too many events");
  inherit_ = inherit;
  tid_ = tid;
  owner_ = ThisThread();
  count_ = count;
  for (std::size_t i = 0; i < count; ++i) {
    slots_[i] = Slot();
    slots_[i].event.spec = specs[i];
  }
  for (const bool first : {true, false}) {
    for (std::size_t i = 0; i < count; ++i) {
      if (ComesFirst(specs[i]) == first) OpenSlot(i);
    }
  }
  if (tid == 0) {
    // Splitting appends groups, which this loop settles too.
    for (std::size_t g = 0; g < group_count_; ++g) {
      if (!groups_[g].software) Settle(&groups_[g]);
    }
    FindEmulation();
  }
  for (std::size_t g = 0; g < group_count_; ++g) {
    const Status enabled = os::CounterEnable(slots_[groups_[g].slots[0]].descriptor);
    if (enabled.ok()) continue;
    for (std::size_t m = 0; m < groups_[g].count; ++m) slots_[groups_[g].slots[m]].event.error = enabled.error;
  }
  for (std::size_t g = 0; g < group_count_; ++g) {
    for (std::size_t m = 0; m < groups_[g].count; ++m) {
      slots_[groups_[g].slots[m]].event.group = static_cast<int>(g);
    }
  }
  if (!inherit && tid == 0) MapPages();
  return Status::Ok();
}

os::CounterSpec CounterGroup::SpecOf(const Event& event) const noexcept {
  os::CounterSpec spec;
  spec.type = event.spec.type;
  spec.config = event.spec.config;
  spec.config1 = event.spec.config1;
  spec.exclude_kernel = event.excludes_kernel;
  spec.inherit = inherit_;
  spec.disabled = true;
  spec.tid = tid_;
  spec.user_read = !inherit_ && tid_ == 0 && !IsSoftware(event.spec);
  return spec;
}

void CounterGroup::OpenSlot(std::size_t index) noexcept {
  Event& event = slots_[index].event;
  event.excludes_kernel = true;
  int alone = -1;
  const Status probed = os::CounterOpen(SpecOf(event), &alone);
  if (!probed.ok()) {
    event.error = probed.error;
    return;
  }
  if (IsSoftware(event.spec) || event.spec.include_kernel) {
    int with_kernel = -1;
    event.excludes_kernel = false;
    if (os::CounterOpen(SpecOf(event), &with_kernel).ok()) {
      os::CounterClose(alone);
      alone = with_kernel;
    } else {
      event.excludes_kernel = true;
    }
  }
  if (Join(index)) {
    os::CounterClose(alone);
  } else {
    Lead(index, alone);
  }
}

bool CounterGroup::Join(std::size_t index) noexcept {
  Slot& slot = slots_[index];
  os::CounterSpec spec = SpecOf(slot.event);
  spec.disabled = false;  // follows its leader
  for (std::size_t g = 0; g < group_count_; ++g) {
    Members& group = groups_[g];
    if (group.software != IsSoftware(slot.event.spec)) continue;
    spec.group = slots_[group.slots[0]].descriptor;
    if (!os::CounterOpen(spec, &slot.descriptor).ok()) continue;
    group.slots[group.count++] = static_cast<std::uint8_t>(index);
    return true;
  }
  return false;
}

void CounterGroup::Lead(std::size_t index, int descriptor) noexcept {
  slots_[index].descriptor = descriptor;
  Members& group = groups_[group_count_++];
  group = Members();
  group.slots[group.count++] = static_cast<std::uint8_t>(index);
  group.software = IsSoftware(slots_[index].event.spec);
}

void CounterGroup::Settle(Members* group) noexcept {
  const int leader = slots_[group->slots[0]].descriptor;
  for (;;) {
    std::uint64_t numbers[kHeaderNumbers + kMaxEvents];
    Status status = os::CounterEnable(leader);
    const std::uint64_t give_up = os::MonotonicNs() + kPatienceNs;
    do {
      Work();
      if (status.ok()) status = ReadGroup(leader, numbers, group->count);
    } while (status.ok() && numbers[2] == 0 && os::MonotonicNs() < give_up);
    (void)os::CounterDisable(leader);  // Enable() starts it again; what fails here fails there
    if (status.ok() && numbers[2] == 0) {
      if (group->count > 1) {
        Split(group);
        continue;
      }
      status = Status::Fail(EBUSY, "perf_event_open", "others use all counters of the processor");
    }
    for (std::size_t m = 0; m < group->count; ++m) {
      Event& event = slots_[group->slots[m]].event;
      if (!status.ok()) {
        event.error = status.error;
      } else if (event.spec.must_count && numbers[kHeaderNumbers + m] == 0) {
        event.error = ENODATA;
      }
    }
    return;
  }
}

void CounterGroup::Split(Members* group) noexcept {
  const std::size_t index = group->slots[--group->count];
  Slot& slot = slots_[index];
  os::CounterClose(slot.descriptor);
  slot.descriptor = -1;
  os::CounterSpec spec = SpecOf(slot.event);
  // Only the groups after this one: those before it are settled and full.
  for (Members* other = group + 1; other < groups_ + group_count_; ++other) {
    if (other->software) continue;
    spec.group = slots_[other->slots[0]].descriptor;
    spec.disabled = false;
    if (!os::CounterOpen(spec, &slot.descriptor).ok()) continue;
    other->slots[other->count++] = static_cast<std::uint8_t>(index);
    return;
  }
  spec.group = -1;
  spec.disabled = true;
  int alone = -1;
  const Status opened = os::CounterOpen(spec, &alone);
  if (opened.ok()) {
    Lead(index, alone);
  } else {
    slot.event.error = opened.error;
  }
}

// Where nothing that must count does, no event of this processor is to be believed, and a 0 of another (cache
// misses) would be taken for a figure.
void CounterGroup::FindEmulation() noexcept {
  bool judged = false;
  bool counts = false;
  bool any = false;
  for (std::size_t i = 0; i < count_; ++i) {
    const Slot& slot = slots_[i];
    if (slot.descriptor < 0 || IsSoftware(slot.event.spec)) continue;
    any = any || slot.event.error == 0;
    if (!slot.event.spec.must_count) continue;
    judged = judged || slot.event.error == 0 || slot.event.error == ENODATA;
    counts = counts || slot.event.error == 0;
  }
  if (!any || counts) return;
  if (!judged && ProbeHardware() != ENODATA) return;
  for (std::size_t i = 0; i < count_; ++i) {
    Slot& slot = slots_[i];
    if (slot.descriptor >= 0 && !IsSoftware(slot.event.spec) && slot.event.error == 0) {
      slot.event.error = ENODATA;
    }
  }
}

void CounterGroup::MapPages() noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    Slot& slot = slots_[i];
    if (slot.descriptor < 0 || IsSoftware(slot.event.spec)) continue;
    // No page (a limit on locked memory) means reading through the kernel.
    if (!os::CounterMap(slot.descriptor, &slot.page).ok()) slot.page = nullptr;
  }
}

Status CounterGroup::Read(double* out, Way way, std::size_t* user_groups) const noexcept {
  for (std::size_t i = 0; i < count_ * kReadColumns; ++i) out[i] = kUnknown;
  const bool own = way == Way::kAny && owner_ == ThisThread();
  Status first;
  std::size_t without_kernel = 0;
  for (std::size_t g = 0; g < group_count_; ++g) {
    if (own && !groups_[g].software && ReadUser(groups_[g], out)) {
      ++without_kernel;
      continue;
    }
    const Status status = ReadKernel(groups_[g], out);
    if (!status.ok() && first.ok()) first = status;
  }
  if (user_groups) *user_groups = without_kernel;
  return first;
}

Status CounterGroup::ReadKernel(const Members& group, double* out) const noexcept {
  std::uint64_t numbers[kHeaderNumbers + kMaxEvents];
  const Status status = ReadGroup(slots_[group.slots[0]].descriptor, numbers, group.count);
  if (!status.ok()) return status;
  for (std::size_t m = 0; m < group.count; ++m) {
    if (slots_[group.slots[m]].event.error != 0) continue;
    double* const row = out + group.slots[m] * kReadColumns;
    row[0] = static_cast<double>(numbers[kHeaderNumbers + m]);
    row[1] = static_cast<double>(numbers[1]);
    row[2] = static_cast<double>(numbers[2]);
  }
  return Status::Ok();
}

bool CounterGroup::ReadUser(const Members& group, double* out) const noexcept {
  os::CounterSample samples[kMaxEvents];
  for (std::size_t m = 0; m < group.count; ++m) {
    const void* const page = slots_[group.slots[m]].page;
    if (!page || !os::CounterReadUser(page, &samples[m])) return false;
  }
  for (std::size_t m = 0; m < group.count; ++m) {
    if (slots_[group.slots[m]].event.error != 0) continue;
    double* const row = out + group.slots[m] * kReadColumns;
    row[0] = static_cast<double>(samples[m].value);
    // Of the leader: its members are counted at the same instants, and read some nanoseconds apart.
    row[1] = static_cast<double>(samples[0].enabled_ns);
    row[2] = static_cast<double>(samples[0].running_ns);
  }
  return true;
}

void CounterGroup::Close() noexcept {
  // Members before leaders: a leader that goes first turns its members into groups of their own.
  for (std::size_t g = group_count_; g-- > 0;) {
    for (std::size_t m = groups_[g].count; m-- > 0;) {
      Slot& slot = slots_[groups_[g].slots[m]];
      if (slot.page) os::CounterUnmap(slot.page);
      os::CounterClose(slot.descriptor);
      slot.page = nullptr;
      slot.descriptor = -1;
    }
  }
  group_count_ = 0;
  count_ = 0;
}

namespace {

// Opens one event that must count, lets the processor work, and looks whether it did.
int Probe(const EventSpec& event) noexcept {
  int descriptor = -1;
  os::CounterSpec spec;
  spec.type = event.type;
  spec.config = event.config;
  const Status opened = os::CounterOpen(spec, &descriptor);
  if (!opened.ok()) return opened.error;
  Work();
  std::uint64_t numbers[kHeaderNumbers + CounterGroup::kMaxEvents];
  const Status read = ReadGroup(descriptor, numbers, 1);
  os::CounterClose(descriptor);
  if (!read.ok()) return read.error;
  return numbers[kHeaderNumbers] > 0 ? 0 : ENODATA;
}

}  // namespace

int ProbeSoftware() noexcept { return Probe({kSoftwareType, 1}); }  // PERF_COUNT_SW_TASK_CLOCK

int ProbeHardware() noexcept { return Probe({kHardwareType, 1}); }  // PERF_COUNT_HW_INSTRUCTIONS

}  // namespace sysopt::counters
