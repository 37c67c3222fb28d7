// The core on the system it was built for.
#include <cerrno>
#include <cstring>
#include <limits>
#include <thread>

#include "../core/counters/counter_group.h"
#include "../core/figures/figures.h"
#include "../core/memory/region.h"
#include "../core/sched/thread.h"
#include "harness.h"

using namespace sysopt;

namespace {

memory::Region MustCreate(const memory::RegionRequest& request) {
  memory::Region region;
  const Status status = memory::CreateRegion(request, &region);
  EXPECT_EQ(status.error, 0);
  return region;
}

bool AllBytesAre(const memory::Region& region, std::size_t from, std::size_t to, unsigned char value) {
  const auto* const bytes = static_cast<const unsigned char*>(region.mapping.start);
  for (std::size_t i = from; i < to; ++i) {
    if (bytes[i] != value) return false;
  }
  return true;
}

}  // namespace

TEST(RegionsAreAlignedZeroedAndWritable) {
  for (std::size_t alignment = memory::kMinAlignment; alignment <= (std::size_t{4} << 20); alignment *= 2) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{4095}, std::size_t{100'000}}) {
      const memory::Region region = MustCreate({size, alignment, memory::HugePages::kNever, false});
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(region.mapping.start) % alignment, 0u);
      EXPECT(region.mapping.size >= size);
      EXPECT(AllBytesAre(region, 0, region.mapping.size, 0));
      std::memset(region.mapping.start, 0xA5, region.mapping.size);
      EXPECT(AllBytesAre(region, 0, region.mapping.size, 0xA5));
      EXPECT(memory::DestroyRegion(region).ok());
    }
  }
}

TEST(RegionLimits) {
  memory::Region region;
  EXPECT_EQ(memory::CreateRegion({0, 64}, &region).error, EINVAL);
  EXPECT_EQ(memory::CreateRegion({memory::kMaxRegionSize + 1, 64}, &region).error, EINVAL);
  EXPECT_EQ(memory::CreateRegion({64, 0}, &region).error, EINVAL);
  EXPECT_EQ(memory::CreateRegion({64, 4}, &region).error, EINVAL);
  EXPECT_EQ(memory::CreateRegion({64, 48}, &region).error, EINVAL);
  EXPECT_EQ(memory::CreateRegion({64, memory::kMaxAlignment * 2}, &region).error, EINVAL);
}

TEST(PrefaultMakesPagesResident) {
  const std::size_t page = os::PageSize();
  const memory::Region lazy = MustCreate({64 * page, page, memory::HugePages::kNever, false});
  const memory::Region eager = MustCreate({64 * page, page, memory::HugePages::kNever, true});
  memory::Residency residency;
  EXPECT(memory::GetResidency(lazy, &residency).ok());
  EXPECT_EQ(residency.resident_bytes, 0u);
  EXPECT(memory::GetResidency(eager, &residency).ok());
  EXPECT_EQ(residency.resident_bytes, 64 * page);
  EXPECT(eager.prefaulted && !lazy.prefaulted);
  EXPECT(memory::DestroyRegion(lazy).ok());
  EXPECT(memory::DestroyRegion(eager).ok());
}

TEST(TrimGivesBackWholePagesOnly) {
  const std::size_t page = os::PageSize();
  const memory::Region region = MustCreate({8 * page, page, memory::HugePages::kNever, true});
  std::memset(region.mapping.start, 0xFF, region.mapping.size);
  std::uint64_t bytes = 99;
  EXPECT(memory::TrimRegion(region, 1, page, &bytes).ok());
  EXPECT_EQ(bytes, 0u);
  EXPECT(memory::TrimRegion(region, page - 1, 2 * page + 2, &bytes).ok());
  EXPECT_EQ(bytes, 2 * page);
  EXPECT(AllBytesAre(region, 0, page, 0xFF));
  EXPECT(AllBytesAre(region, page, 3 * page, 0));
  EXPECT(AllBytesAre(region, 3 * page, 8 * page, 0xFF));
  EXPECT_EQ(memory::TrimRegion(region, 8 * page, 1, &bytes).error, EINVAL);
  EXPECT_EQ(memory::TrimRegion(region, 1, std::numeric_limits<std::size_t>::max(), &bytes).error, EINVAL);
  EXPECT(memory::DestroyRegion(region).ok());
}

TEST(HugePagesAreReportedAsGranted) {
  const std::size_t huge = os::HugePageSize();
  const memory::Region small = MustCreate({4096, 64, memory::HugePages::kAdvise, false});
  EXPECT_EQ(small.huge_pages, memory::HugePageGrant::kRefused);
  EXPECT(memory::DestroyRegion(small).ok());
  memory::Region region;
  EXPECT(!memory::CreateRegion({4096, 64, memory::HugePages::kRequire, false}, &region).ok());
  if (huge == 0) return;
  const memory::Region advised = MustCreate({2 * huge, 64, memory::HugePages::kAdvise, true});
  EXPECT_EQ(advised.huge_pages, memory::HugePageGrant::kAdvised);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(advised.mapping.start) % huge, 0u);
  memory::Residency residency;
  EXPECT(memory::GetResidency(advised, &residency).ok());
  EXPECT_EQ(residency.resident_bytes, 2 * huge);
  EXPECT(!residency.huge_known || residency.huge_bytes <= 2 * huge);
  EXPECT(memory::DestroyRegion(advised).ok());
}

TEST(ThreadClockRunsWhileTheThreadWorks) {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  if (!os::ThreadCpuTime(&before).ok()) return;
  // Windows counts in ticks of 16 ms.
  const std::uint64_t give_up = os::MonotonicNs() + 5'000'000'000;
  volatile unsigned work = 0;
  do {
    for (int i = 0; i < 1'000'000; ++i) work = work + 1;
    EXPECT(os::ThreadCpuTime(&after).ok());
  } while (after == before && os::MonotonicNs() < give_up);
  EXPECT(after > before);
}

TEST(ProcessCpusComeBackInPinnedThread) {
  const os::CpuSet* const process = sched::ProcessCpus();
  if (process == nullptr) return;
  std::thread([process] {
    int first = 0;
    while (!process->Has(first)) ++first;
    os::CpuSet one;
    one.Add(first);
    EXPECT(sched::PinThread(0, one).ok());
    std::thread([process, &one] {
      os::CpuSet now;
      EXPECT(os::GetAffinity(0, &now).ok());
      EXPECT(now == one);  // inherited
      EXPECT(sched::UseProcessCpus().ok());
      EXPECT(os::GetAffinity(0, &now).ok());
      EXPECT(now == *process);
    }).join();
  }).join();
}

TEST(ComputeThreadsAreCountedOnceEach) {
  const unsigned before = sched::ComputeThreads();
  {
    sched::ComputeThread one;
    sched::ComputeThread never;
    EXPECT_EQ(sched::ComputeThreads(), before);
    one.Count();
    one.Count();
    EXPECT_EQ(sched::ComputeThreads(), before + 1);
  }
  EXPECT_EQ(sched::ComputeThreads(), before);
}

TEST(NicenessIsOfOneThread) {
  std::thread([] { EXPECT(os::SetNice(0, 19).ok() || os::SetNice(0, 19).error == ENOTSUP); }).join();
  EXPECT_EQ(os::SetNice(1, 19).error == ENOTSUP ? ESRCH : os::SetNice(1, 19).error, ESRCH);
}

TEST(PinningIsExactOrRefused) {
  std::thread([] {
    os::CpuSet all;
    if (!os::GetAffinity(0, &all).ok()) return;
    int first = 0;
    while (!all.Has(first)) ++first;
    os::CpuSet one;
    one.Add(first);
    EXPECT(sched::PinThread(0, one).ok());
    os::CpuSet now;
    EXPECT(os::GetAffinity(0, &now).ok());
    EXPECT(now == one);
    os::CpuSet beyond = one;
    beyond.Add(os::CpuSet::kMaxCpus - 1);
    EXPECT_EQ(sched::PinThread(0, beyond).error, EINVAL);
    EXPECT(os::GetAffinity(0, &now).ok());
    EXPECT(now == one);
    EXPECT_EQ(sched::PinThread(0, os::CpuSet()).error, EINVAL);
    EXPECT_EQ(sched::PinThread(1, one).error, ESRCH);  // init: a thread, but not ours
  }).join();
}

TEST(ThreadNamesAreCutBetweenCharacters) {
  std::thread([] {
    // Byte 15 falls into the middle of the last two-byte character.
    if (!sched::NameThread("abcdefghijklmn\xC3\xA4").ok()) return;
    char name[figures::kMaxThreadName];
    figures::ReadThreadName(0, name);
    if (name[0] != '\0') EXPECT_EQ(std::string_view(name), std::string_view("abcdefghijklmn"));
    EXPECT(sched::NameThread("").ok());
  }).join();
  char gone[figures::kMaxThreadName] = "x";
  figures::ReadThreadName(1, gone);
  EXPECT_EQ(gone[0], '\0');
}

TEST(FiguresAreNumbersOrNaN) {
  double process[figures::kProcessColumns];
  figures::ReadProcess(process);
  EXPECT(process[0] >= 0);
  double threads[2 * figures::kThreadColumns];
  const std::size_t count = figures::ReadThreads(threads, 2);
  EXPECT(count == 0 || threads[0] > 0);
  double host[figures::kHostCpuColumns];
  figures::ReadHostCpu(host);
  double map[figures::kMemoryMapColumns];
  figures::ReadMemoryMap(map);
  EXPECT(std::isnan(map[0]) || map[0] > 0);
  double cgroup[figures::kCgroupColumns];
  figures::ReadCgroup(cgroup);
  double pressure[figures::kPressureColumns];
  figures::ReadPressure(pressure);
  for (const double share : pressure) EXPECT(std::isnan(share) || (share >= 0 && share <= 1));
}

TEST(SoftwareCountersCountThisThread) {
  if (counters::ProbeSoftware() != 0) return;
  const counters::EventSpec specs[] = {{1, 1}, {1, 5}, {1, 999}};  // task clock, minor faults, nonsense
  counters::CounterGroup group;
  EXPECT(group.Open(specs, 3, false).ok());
  EXPECT_EQ(group.event(0).error, 0);
  EXPECT(group.event(2).error != 0);
  double before[9];
  double after[9];
  EXPECT(group.Read(before).ok());
  const memory::Region region = MustCreate({64 * os::PageSize(), 64, memory::HugePages::kNever, false});
  memory::TouchPages(region.mapping.start, region.mapping.size);
  EXPECT(group.Read(after).ok());
  EXPECT(after[0] > before[0]);
  EXPECT(after[3] - before[3] >= 1);
  EXPECT(std::isnan(after[6]));
  EXPECT(memory::DestroyRegion(region).ok());
}
