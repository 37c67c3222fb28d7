// The core on a scripted kernel: what it does when the system refuses, lies or runs short.
#include <cerrno>
#include <thread>

#include "../core/counters/counter_group.h"
#include "../core/figures/figures.h"
#include "../core/memory/region.h"
#include "../core/os/fake.h"
#include "../core/sched/thread.h"
#include "harness.h"

using namespace sysopt;
using os::fake::Reset;
using os::fake::State;

namespace {

constexpr std::size_t kHuge = std::size_t{2} << 20;

Status Create(memory::HugePages huge_pages, bool prefault, memory::Region* region) {
  return memory::CreateRegion({2 * kHuge, 64, huge_pages, prefault}, region);
}

}  // namespace

TEST(FailedRegionsLeaveNoMapping) {
  for (const char* call : {"mmap", "populate", "madvise-huge"}) {
    Reset();
    State().errors[call] = ENOMEM;
    memory::Region region;
    EXPECT_EQ(Create(memory::HugePages::kRequire, true, &region).error, ENOMEM);
    EXPECT(State().mappings.empty());
  }
}

TEST(AdviceIsOptionalRequirementIsNot) {
  Reset();
  State().errors["madvise-huge"] = EINVAL;
  memory::Region region;
  EXPECT(Create(memory::HugePages::kAdvise, false, &region).ok());
  EXPECT_EQ(region.huge_pages, memory::HugePageGrant::kRefused);
  EXPECT(memory::DestroyRegion(region).ok());
  State().huge_page_size = 0;
  EXPECT_EQ(Create(memory::HugePages::kRequire, false, &region).error, ENOTSUP);
  EXPECT(State().mappings.empty());
}

TEST(RequiredHugePagesThatAreMissingAreRefused) {
  Reset();
  // Where the fake puts the mapping is unknown beforehand: this map covers every address with no huge page.
  State().files["/proc/self/smaps"] = "0-ffffffffffffffff rw-p 0 00:00 0\nAnonHugePages: 0 kB\n";
  memory::Region region;
  EXPECT_EQ(Create(memory::HugePages::kRequire, true, &region).error, ENOMEM);
  EXPECT(State().mappings.empty());
}

TEST(PrefaultTouchesWhereTheKernelCannotPopulate) {
  Reset();
  State().errors["populate"] = ENOTSUP;
  memory::Region region;
  EXPECT(Create(memory::HugePages::kNever, true, &region).ok());
  EXPECT(region.prefaulted);
  EXPECT(memory::DestroyRegion(region).ok());
}

TEST(TrimReportsARefusal) {
  Reset();
  memory::Region region;
  EXPECT(Create(memory::HugePages::kNever, false, &region).ok());
  State().errors["discard"] = ENOTSUP;
  std::uint64_t bytes = 0;
  EXPECT_EQ(memory::TrimRegion(region, 0, kHuge, &bytes).error, ENOTSUP);
  EXPECT_EQ(bytes, 0u);
  EXPECT(memory::DestroyRegion(region).ok());
}

TEST(ForeignMemoryIsDiscardedInWholePagesOnly) {
  Reset();
  const std::size_t page = os::PageSize();
  memory::Region region;
  EXPECT(Create(memory::HugePages::kNever, false, &region).ok());
  char* const start = static_cast<char*>(region.mapping.start);
  std::uint64_t bytes = 1;
  EXPECT(memory::DiscardRange(start + 1, page, &bytes).ok());
  EXPECT_EQ(bytes, 0u);
  EXPECT(memory::DiscardRange(start + 1, 3 * page, &bytes).ok());
  EXPECT_EQ(bytes, 2 * page);
  State().errors["discard-foreign"] = ENOTSUP;
  EXPECT_EQ(memory::DiscardRange(start, page, &bytes).error, ENOTSUP);
  EXPECT_EQ(bytes, 0u);
  EXPECT(memory::DestroyRegion(region).ok());
}

TEST(BindingReportsARefusal) {
  Reset();
  memory::Region region;
  EXPECT(Create(memory::HugePages::kNever, false, &region).ok());
  EXPECT_EQ(memory::BindRangeToNode(region.mapping.start, 1, 0).error, EINVAL);
  EXPECT(memory::BindRangeToNode(region.mapping.start, kHuge, 0).ok());
  State().errors["mbind"] = ENOSYS;
  EXPECT_EQ(memory::BindRangeToNode(region.mapping.start, kHuge, 0).error, ENOSYS);
  EXPECT(memory::DestroyRegion(region).ok());
}

TEST(PinningThatTheKernelWatersDownIsUndone) {
  Reset();
  const os::CpuSet before = State().affinity;
  os::CpuSet wanted;
  wanted.Add(1);
  wanted.Add(9);  // not online
  EXPECT_EQ(sched::PinThread(0, wanted).error, EINVAL);
  EXPECT(State().affinity == before);
  State().errors["sched_setaffinity"] = EPERM;
  EXPECT_EQ(sched::PinThread(0, wanted).error, EPERM);
}

TEST(ProcessCpusAreRememberedOnce) {
  Reset();
  State().process_affinity.Add(0);
  const os::CpuSet* const first = sched::ProcessCpus();
  EXPECT(first != nullptr);
  State().process_affinity.Add(1);
  EXPECT(sched::ProcessCpus() == first);
  EXPECT(!first->Has(1));
  State().errors["sched_setaffinity"] = EINVAL;
  EXPECT_EQ(sched::UseProcessCpus().error, EINVAL);
}

TEST(AThreadThatIsKeptOffGetsItsMaskBack) {
  Reset();
  const os::CpuSet before = State().affinity;
  {
    sched::KeptOff kept_off;
    kept_off.End();
    EXPECT(State().affinity == before);
    EXPECT(kept_off.Begin(7, before));
    EXPECT(!State().affinity.Has(0));  // the fake is on 0
    EXPECT(State().affinity.Has(1));
    EXPECT(kept_off.Begin(8, before));  // ends the first
    EXPECT(!State().affinity.Has(0));
    kept_off.End();
    EXPECT(State().affinity == before);
    EXPECT(kept_off.Begin(7, before));
  }
  EXPECT(State().affinity == before);  // whoever is destroyed ends it
}

TEST(OnlyAThreadWithTheKnownMaskIsKeptOff) {
  Reset();
  const os::CpuSet known = State().affinity;
  sched::KeptOff kept_off;
  State().errors["sched_setaffinity"] = EPERM;
  EXPECT(!kept_off.Begin(7, known));
  State().errors.clear();
  State().errors["sched_getaffinity"] = ESRCH;
  EXPECT(!kept_off.Begin(7, known));
  State().errors.clear();
  kept_off.End();
  EXPECT(State().affinity == known);

  os::CpuSet given;  // by taskset, or a cpuset that may grow again
  given.Add(0);
  given.Add(1);
  State().affinity = given;
  EXPECT(!kept_off.Begin(7, known));
  kept_off.End();
  EXPECT(State().affinity == given);
  os::CpuSet single;
  single.Add(0);  // nowhere else to go
  State().affinity = single;
  EXPECT(!kept_off.Begin(7, single));
  EXPECT(State().affinity == single);

  State().affinity = given;
  EXPECT(kept_off.Begin(7, given));
  State().errors["sched_setaffinity"] = ESRCH;
  kept_off.End();  // the thread has ended: nothing to give back, and nobody to
  State().errors.clear();
  kept_off.End();
  EXPECT(!State().affinity.Has(0));
}

TEST(CountersAreProbedWithoutTheKernelFirst) {
  Reset();
  State().counters[{1, 3}] = {.error_with_kernel = EACCES, .value = 5};
  const counters::EventSpec specs[] = {{1, 3}, {0, 0}};
  counters::CounterGroup group;
  EXPECT(group.Open(specs, 2, false).ok());
  EXPECT_EQ(group.event(0).error, 0);
  EXPECT(group.event(0).excludes_kernel);
  EXPECT_EQ(group.event(1).error, ENOENT);  // missing, not forbidden
  group.Close();
  EXPECT(State().descriptors.empty());
}

TEST(CountersShareAGroupWhereTheyFit) {
  Reset();
  for (std::uint64_t config = 0; config < 4; ++config) State().counters[{0, config}] = {.value = 10 + config};
  State().counters[{0, 2}].error_in_group = EINVAL;  // leads a second group; the next event joins the first
  State().counters[{1, 1}] = {.value = 99};
  const counters::EventSpec specs[] = {{0, 0}, {1, 1}, {0, 1}, {0, 2}, {0, 3}};
  counters::CounterGroup group;
  EXPECT(group.Open(specs, 5, false).ok());
  EXPECT_EQ(State().descriptors.size(), 5u);
  int leaders = 0;
  for (const auto& [descriptor, spec] : State().descriptors) leaders += spec.group < 0;
  EXPECT_EQ(leaders, 3);
  EXPECT_EQ(group.event(0).group, group.event(2).group);
  EXPECT(group.event(3).group != group.event(0).group);
  double figures[15];
  State().time_running = 250;
  EXPECT(group.Read(figures).ok());
  const double expected[] = {10, 99, 11, 12, 13};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(figures[3 * i], expected[i]);
    EXPECT_EQ(figures[3 * i + 1], 1000.0);
    EXPECT_EQ(figures[3 * i + 2], 250.0);
  }
  group.Close();
  group.Close();
  EXPECT(State().descriptors.empty());
}

TEST(CounterFailuresAfterOpeningAreKept) {
  Reset();
  State().counters[{0, 0}] = {.value = 1};
  State().counters[{0, 1}] = {.value = 1};
  State().errors["enable"] = EBUSY;
  const counters::EventSpec specs[] = {{0, 0}, {0, 1}};
  {
    counters::CounterGroup group;
    EXPECT(group.Open(specs, 2, true).ok());
    EXPECT_EQ(group.event(0).error, EBUSY);
    EXPECT_EQ(group.event(1).error, EBUSY);
    double figures[6];
    EXPECT(group.Read(figures).ok());
    for (const double figure : figures) EXPECT(std::isnan(figure));
  }
  EXPECT(State().descriptors.empty());

  State().errors.clear();
  counters::CounterGroup group;
  EXPECT(group.Open(specs, 2, true).ok());
  State().errors["read"] = EIO;
  double figures[6];
  EXPECT_EQ(group.Read(figures).error, EIO);
  for (const double figure : figures) EXPECT(std::isnan(figure));
}

TEST(CountersThatStayAtZeroAreFoundOut) {
  Reset();
  EXPECT_EQ(counters::ProbeHardware(), ENOENT);
  State().counters[{0, 1}] = {.value = 0};
  EXPECT_EQ(counters::ProbeHardware(), ENODATA);
  State().counters[{0, 1}].value = 12345;
  EXPECT_EQ(counters::ProbeHardware(), 0);
  EXPECT(State().descriptors.empty());
}

TEST(CyclesAndInstructionsShareAGroupWhateverElseIsAsked) {
  Reset();
  State().hardware_counters = 2;
  for (std::uint64_t config = 0; config < 6; ++config) State().counters[{0, config}] = {.value = 1};
  const counters::EventSpec specs[] = {{0, 2}, {0, 3}, {0, 1}, {0, 4}, {0, 5}, {0, 0}};
  counters::CounterGroup group;
  EXPECT(group.Open(specs, 6, false).ok());
  EXPECT_EQ(group.groups(), 3u);
  EXPECT_EQ(group.event(2).group, group.event(5).group);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(group.event(i).error, 0);
}

TEST(AGroupThatGetsNoTimeIsSplit) {
  Reset();
  State().hardware_counters = 4;
  State().held_counters = 2;  // a watchdog, say: groups of four are accepted and never run
  for (std::uint64_t config = 0; config < 5; ++config) State().counters[{0, config}] = {.value = 7};
  const counters::EventSpec specs[] = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}};
  counters::CounterGroup group;
  EXPECT(group.Open(specs, 5, false).ok());
  EXPECT_EQ(State().descriptors.size(), 5u);
  double figures[15];
  EXPECT(group.Read(figures).ok());
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(group.event(i).error, 0);
    EXPECT_EQ(figures[3 * i], 7.0);
  }
  EXPECT_EQ(group.event(0).group, group.event(1).group);
  group.Close();
  EXPECT(State().descriptors.empty());

  State().held_counters = 4;
  counters::CounterGroup none;
  EXPECT(none.Open(specs, 5, false).ok());
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(none.event(i).error, EBUSY);
}

TEST(CountersThatDoNotCountAreNamedSingly) {
  Reset();
  State().counters[{0, 0}] = {.value = 5};
  State().counters[{0, 1}] = {.value = 0};
  State().counters[{0, 3}] = {.value = 0};
  const counters::EventSpec specs[] = {{0, 0, 0, true}, {0, 1, 0, true}, {0, 3}};
  {
    counters::CounterGroup group;
    EXPECT(group.Open(specs, 3, false).ok());
    EXPECT_EQ(group.event(0).error, 0);
    EXPECT_EQ(group.event(1).error, ENODATA);
    EXPECT_EQ(group.event(2).error, 0);  // no cache misses can be true where cycles count
    double figures[9];
    EXPECT(group.Read(figures).ok());
    EXPECT_EQ(figures[0], 5.0);
    EXPECT(std::isnan(figures[3]));
    EXPECT_EQ(figures[6], 0.0);
  }
  State().counters[{0, 0}].value = 0;
  {
    counters::CounterGroup group;
    EXPECT(group.Open(specs, 3, false).ok());
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(group.event(i).error, ENODATA);
  }
  // Asked for alone, an event that may be 0 is judged by one that may not.
  {
    counters::CounterGroup group;
    EXPECT(group.Open(specs + 2, 1, false).ok());
    EXPECT_EQ(group.event(0).error, ENODATA);
  }
  EXPECT(State().descriptors.empty());
}

TEST(InterruptedAndShortReadsNeverGiveAWrongValue) {
  Reset();
  State().counters[{1, 1}] = {.value = 11};
  State().counters[{1, 2}] = {.value = 22};
  State().counters[{0, 1}] = {.value = 33};
  const counters::EventSpec specs[] = {{1, 1}, {1, 2}, {0, 1}};
  counters::CounterGroup group;
  EXPECT(group.Open(specs, 3, false).ok());
  double figures[9];
  State().next_errors["read"] = {EINTR, EINTR, 0, EINTR};
  EXPECT(group.Read(figures).ok());
  EXPECT_EQ(figures[0], 11.0);
  EXPECT_EQ(figures[6], 33.0);

  for (std::size_t left_out = 1; left_out <= 5; ++left_out) {
    State().short_read = left_out;
    EXPECT_EQ(group.Read(figures).error, EIO);
    for (const double figure : figures) EXPECT(std::isnan(figure));
  }
  State().short_read = 0;
  // A failure of one group leaves the other's values.
  const bool hardware_first = group.event(2).group == 0;
  State().next_errors["read"] = hardware_first ? std::vector<int>{0, ENOSPC} : std::vector<int>{ENOSPC, 0};
  EXPECT_EQ(group.Read(figures).error, ENOSPC);
  EXPECT(std::isnan(figures[0]) && std::isnan(figures[3]));
  EXPECT_EQ(figures[6], 33.0);
  State().errors["read"] = EINTR;  // for ever
  EXPECT_EQ(group.Read(figures).error, EINTR);
}

TEST(RunningOutOfDescriptorsRefusesTheRestOnly) {
  Reset();
  for (std::uint64_t config = 0; config < 3; ++config) State().counters[{1, config}] = {.value = 4};
  const counters::EventSpec specs[] = {{1, 0}, {1, 1}, {1, 2}};
  // The first takes two opens (with the kernel part after the probe), the second's probe is the third.
  State().next_errors["perf_event_open"] = {0, 0, 0, 0, EMFILE, EMFILE, EMFILE};
  counters::CounterGroup group;
  EXPECT(group.Open(specs, 3, false).ok());
  EXPECT_EQ(group.event(0).error, 0);
  EXPECT_EQ(group.event(1).error, 0);
  EXPECT_EQ(group.event(2).error, EMFILE);
  double figures[9];
  EXPECT(group.Read(figures).ok());
  EXPECT_EQ(figures[0], 4.0);
  EXPECT_EQ(figures[3], 4.0);
  group.Close();
  EXPECT(State().descriptors.empty());
}

TEST(CountersAreReadWithoutTheKernelWhereThePageAllowsIt) {
  Reset();
  State().counters[{0, 0}] = {.value = 1, .user_value = 100};
  State().counters[{0, 1}] = {.value = 2, .user_value = 200};
  State().counters[{1, 1}] = {.value = 3};
  const counters::EventSpec specs[] = {{0, 0}, {0, 1}, {1, 1}};
  counters::CounterGroup group;
  EXPECT(group.Open(specs, 3, false).ok());
  using Way = counters::CounterGroup::Way;
  double figures[9];
  std::size_t user_groups = 9;
  EXPECT(group.Read(figures, Way::kAny, &user_groups).ok());
  EXPECT_EQ(user_groups, 1u);
  EXPECT_EQ(figures[0], 100.0);
  EXPECT_EQ(figures[3], 200.0);
  EXPECT_EQ(figures[6], 3.0);
  EXPECT(group.Read(figures, Way::kKernel, &user_groups).ok());
  EXPECT_EQ(user_groups, 0u);
  EXPECT_EQ(figures[0], 1.0);
  // The permission is looked at again at each read, and for the whole group.
  State().counters[{0, 1}].user_value = 0;
  EXPECT(group.Read(figures, Way::kAny, &user_groups).ok());
  EXPECT_EQ(user_groups, 0u);
  EXPECT_EQ(figures[0], 1.0);
  group.Close();
  EXPECT(State().counter_pages.empty());

  // Counters that go over to other threads have no page; nor do those of a process at its limit.
  counters::CounterGroup inherited;
  EXPECT(inherited.Open(specs, 3, true).ok());
  EXPECT(State().counter_pages.empty());
  State().errors["counter-mmap"] = EPERM;
  counters::CounterGroup unmapped;
  EXPECT(unmapped.Open(specs, 3, false).ok());
  EXPECT(unmapped.Read(figures, Way::kAny, &user_groups).ok());
  EXPECT_EQ(user_groups, 0u);
  EXPECT_EQ(figures[3], 2.0);
}

TEST(OtherThreadsReadThroughTheKernel) {
  Reset();
  State().counters[{0, 0}] = {.value = 1, .user_value = 100};
  const counters::EventSpec spec = {0, 0};
  counters::CounterGroup group;
  EXPECT(group.Open(&spec, 1, false).ok());
  double figures[3];
  std::size_t user_groups = 9;
  std::thread([&] { EXPECT(group.Read(figures, counters::CounterGroup::Way::kAny, &user_groups).ok()); }).join();
  EXPECT_EQ(user_groups, 0u);
  EXPECT_EQ(figures[0], 1.0);
}

TEST(TooManyEventsAreRefused) {
  Reset();
  const counters::EventSpec specs[counters::CounterGroup::kMaxEvents + 1] = {};
  counters::CounterGroup group;
  EXPECT_EQ(group.Open(specs, counters::CounterGroup::kMaxEvents + 1, false).error, EINVAL);
  EXPECT_EQ(group.size(), 0u);
}

TEST(FiguresWithoutProcfsAreNaN) {
  Reset();
  State().errors["getrusage"] = EPERM;
  State().errors["descriptors"] = EPERM;
  double figures[16];
  figures::ReadProcess(figures);
  for (std::size_t i = 0; i < figures::kProcessColumns; ++i) EXPECT(std::isnan(figures[i]));
  figures::ReadHostCpu(figures);
  for (std::size_t i = 0; i < figures::kHostCpuColumns; ++i) EXPECT(std::isnan(figures[i]));
  figures::ReadMemoryMap(figures);
  for (std::size_t i = 0; i < figures::kMemoryMapColumns; ++i) EXPECT(std::isnan(figures[i]));
  figures::ReadCgroup(figures);
  for (std::size_t i = 0; i < figures::kCgroupColumns; ++i) EXPECT(std::isnan(figures[i]));
  figures::ReadPressure(figures);
  for (std::size_t i = 0; i < figures::kPressureColumns; ++i) EXPECT(std::isnan(figures[i]));
  EXPECT_EQ(figures::ReadThreads(figures, 3), 0u);
}

TEST(ThreadsThatEndWhileTheyAreReadAreNaN) {
  Reset();
  State().directories["/proc/self/task"] = {"10", "11", "12", "strange"};
  State().files["/proc/self/task/10/schedstat"] = "1 2 3\n";
  double rows[10];
  EXPECT_EQ(figures::ReadThreads(rows, 2), 3u);
  EXPECT_EQ(rows[0], 10.0);
  EXPECT_EQ(rows[2], 2.0);
  EXPECT_EQ(rows[5], 11.0);
  EXPECT(std::isnan(rows[4]) && std::isnan(rows[6]) && std::isnan(rows[9]));
}

TEST(CgroupVersion2TakesTheTightestLimit) {
  Reset();
  auto& files = State().files;
  files["/proc/self/cgroup"] = "0::/app.slice/web\n";
  files["/proc/self/mountinfo"] = "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n";
  files["/sys/fs/cgroup/cgroup.controllers"] = "cpu memory\n";
  files["/sys/fs/cgroup/app.slice/web/cpu.stat"] =
      "usage_usec 2000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 300\n";
  files["/sys/fs/cgroup/app.slice/web/cpu.max"] = "max 100000\n";
  files["/sys/fs/cgroup/app.slice/cpu.max"] = "150000 100000\n";
  files["/sys/fs/cgroup/app.slice/web/memory.current"] = "1048576\n";
  files["/sys/fs/cgroup/app.slice/web/memory.max"] = "4194304\n";
  files["/sys/fs/cgroup/app.slice/memory.max"] = "max\n";
  double row[figures::kCgroupColumns];
  figures::ReadCgroup(row);
  const double expected[] = {2e6, 10, 4, 3e5, 1.5, 1048576, 4194304};
  for (std::size_t i = 0; i < figures::kCgroupColumns; ++i) EXPECT_EQ(row[i], expected[i]);
}

TEST(CgroupVersion1BesideAnEmptyVersion2) {
  Reset();
  auto& files = State().files;
  files["/proc/self/cgroup"] = "4:memory:/docker/1f\n2:cpuacct:/docker/1f\n1:cpu:/docker/1f\n0::/\n";
  files["/proc/self/mountinfo"] =
      "33 31 0:30 /docker/1f /cg/cpu rw - cgroup cgroup rw,cpu\n"
      "34 31 0:31 /docker/1f /cg/cpuacct rw - cgroup cgroup rw,cpuacct\n"
      "35 31 0:32 /docker/1f /cg/memory rw - cgroup cgroup rw,memory\n"
      "41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n";
  files["/cg/unified/cgroup.controllers"] = "\n";
  files["/cg/cpu/cpu.stat"] = "nr_periods 7\nnr_throttled 2\nthrottled_time 5000\n";
  files["/cg/cpu/cpu.cfs_quota_us"] = "50000\n";
  files["/cg/cpu/cpu.cfs_period_us"] = "100000\n";
  files["/cg/cpuacct/cpuacct.usage"] = "123\n";
  files["/cg/memory/memory.usage_in_bytes"] = "4096\n";
  files["/cg/memory/memory.limit_in_bytes"] = "9223372036854771712\n";
  double row[figures::kCgroupColumns];
  figures::ReadCgroup(row);
  const double expected[] = {123, 7, 2, 5000, 0.5, 4096};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(row[i], expected[i]);
  EXPECT(std::isinf(row[6]));
}
