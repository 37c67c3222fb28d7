#include "../core/procfs/cgroup.h"
#include "../core/procfs/process.h"
#include "../core/procfs/smaps.h"
#include "../core/procfs/text.h"
#include "harness.h"

using namespace sysopt::procfs;

TEST(NumbersAreTakenWhole) {
  std::uint64_t value = 7;
  EXPECT(ParseNumber("18446744073709551615", &value));
  EXPECT_EQ(value, UINT64_MAX);
  for (const std::string_view wrong : {"", "-1", "+1", "1x", " 1", "18446744073709551616", "0x10", "1.5"}) {
    EXPECT(!ParseNumber(wrong, &value));
  }
  EXPECT_EQ(value, UINT64_MAX);
  EXPECT(ParseNumber("7ffdc000", &value, 16));
  EXPECT_EQ(value, 0x7ffdc000u);
}

TEST(DecimalsNeedNoLocale) {
  double value = 0;
  EXPECT(ParseDecimal("12.34", &value));
  EXPECT(std::abs(value - 12.34) < 1e-12);
  EXPECT(ParseDecimal("100", &value));
  EXPECT_EQ(value, 100.0);
  for (const std::string_view wrong : {"", ".", "1.", ".5", "1,5", "1.2.3", "nan", "1.0000000000000000000"}) {
    EXPECT(!ParseDecimal(wrong, &value));
  }
}

TEST(KeysMatchWhole) {
  const std::string_view text = "RssAnon:\t 1 kB\nRss:\t 2 kB\nVmRss: 3\nflat 4\nRss: 5\n";
  std::uint64_t value = 0;
  EXPECT(FindNumber(text, "Rss", &value));
  EXPECT_EQ(value, 2u);
  EXPECT(FindNumber(text, "flat", &value));
  EXPECT_EQ(value, 4u);
  EXPECT(!FindNumber(text, "Anon", &value));
  EXPECT(!FindNumber("", "Rss", &value));
  EXPECT(!FindNumber("Rss:\n", "Rss", &value));
}

TEST(SchedStat) {
  SchedStat stat;
  EXPECT(ParseSchedStat("97055906 32268523 85\n", &stat));
  EXPECT_EQ(stat.on_cpu_ns, 97055906u);
  EXPECT_EQ(stat.runnable_ns, 32268523u);
  EXPECT_EQ(stat.timeslices, 85u);
  EXPECT(!ParseSchedStat("97055906 32268523", &stat));
  EXPECT(!ParseSchedStat("", &stat));
}

TEST(StatWithHostileName) {
  // A name may hold brackets, blanks and what looks like the fields after it.
  const std::string_view text =
      "4711 (a) R 1 (b\n) S 1 2 3 4 5 6 7 8 9 10 111 222 15 16 17 18 11 21 22 23 24 25 26 27 28 29 30 31 32 "
      "33 "
      "34 35 36 37 38 3 40 41\n";
  Stat stat;
  EXPECT(ParseStat(text, &stat));
  EXPECT_EQ(stat.state, 'S');
  EXPECT_EQ(stat.user_ticks, 111u);
  EXPECT_EQ(stat.system_ticks, 222u);
  EXPECT_EQ(stat.threads, 11u);
  EXPECT_EQ(stat.last_cpu, 3u);
  for (std::size_t length = 0; length < text.find(" 3 40"); ++length) {
    EXPECT(!ParseStat(text.substr(0, length), &stat));
  }
}

TEST(Status) {
  ThreadStatus status;
  EXPECT(
      ParseStatus("Name:\tnode\nvoluntary_ctxt_switches:\t85\nnonvoluntary_ctxt_switches:\t76\n", &status));
  EXPECT_EQ(status.voluntary_switches, 85u);
  EXPECT_EQ(status.involuntary_switches, 76u);
  EXPECT(!ParseStatus("Name:\tnode\nnonvoluntary_ctxt_switches:\t76\n", &status));
}

TEST(ResidentPages) {
  std::uint64_t pages = 0;
  EXPECT(ParseResidentPages("155342 11252 9216 8 0 49143 0\n", &pages));
  EXPECT_EQ(pages, 11252u);
  EXPECT(!ParseResidentPages("155342", &pages));
}

TEST(HostCpuOfOldAndNewKernels) {
  std::uint64_t ticks[kHostCpuFields] = {};
  EXPECT_EQ(ParseHostCpu("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4\n", ticks), 8);
  EXPECT_EQ(ticks[7], 8u);
  EXPECT_EQ(ParseHostCpu("cpu 1 2 3 4\nintr 9\n", ticks), 4);
  EXPECT_EQ(ParseHostCpu("cpu0 1 2 3 4\n", ticks), 0);
  EXPECT_EQ(ParseHostCpu("", ticks), 0);
}

TEST(Pressure) {
  double share = -1;
  EXPECT(ParsePressure("some avg10=12.50 avg60=0.11 avg300=0.98 total=1\nfull avg10=0.00 avg60=0\n", &share));
  EXPECT(std::abs(share - 0.125) < 1e-12);
  EXPECT(!ParsePressure("full avg10=1.00\n", &share));
  EXPECT(!ParsePressure("some avg60=1.00\n", &share));
  EXPECT(!ParsePressure("", &share));
}

TEST(SmapsRollup) {
  const MemoryMap map = ParseSmapsRollup(
      "55d0-7ffc ---p 00000000 00:00 0 [rollup]\nRss:  100 kB\nPss: 60 kB\nPss_Dirty: 1 kB\n"
      "Shared_Clean: 40 kB\nPrivate_Dirty: 20 kB\nAnonHugePages: 2048 kB\nSwapPss: 9 kB\n");
  EXPECT(map.rss.known && map.pss.known && !map.swap.known && !map.anonymous.known);
  EXPECT_EQ(map.rss.bytes, 100u * 1024);
  EXPECT_EQ(map.pss.bytes, 60u * 1024);
  EXPECT_EQ(map.anonymous_huge.bytes, 2048u * 1024);
}

namespace {

constexpr std::string_view kSmaps =
    "400000-600000 rw-p 00000000 00:00 0 \nRss: 2048 kB\nAnonHugePages:    2048 kB\nVmFlags: rd wr\n"
    "600000-a00000 rw-p 00000000 00:00 0 /a/path with spaces and a very long name\nAnonHugePages: 2048 kB\n"
    "a00000-c00000 rw-p 00000000 00:00 0 \nAnonHugePages: 0 kB\n";

SmapsRange Range(std::uint64_t start, std::uint64_t end, std::size_t piece) {
  SmapsRange range(start, end);
  for (std::size_t at = 0; at < kSmaps.size(); at += piece) range.Feed(kSmaps.substr(at, piece));
  return range;
}

}  // namespace

TEST(SmapsRangeInPieces) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    const SmapsRange whole = Range(0x400000, 0xc00000, piece);
    EXPECT(whole.Covered() && whole.HugeKnown());
    EXPECT_EQ(whole.HugeBytes(), 4096u * 1024);
    // Part of a mapping that is nothing but huge pages, and part of one without any: both are certain.
    const SmapsRange certain = Range(0x500000, 0x600000, piece);
    EXPECT(certain.HugeKnown());
    EXPECT_EQ(certain.HugeBytes(), 1024u * 1024);
    EXPECT(Range(0xb00000, 0xc00000, piece).HugeKnown());
    // Part of a mapping with some: unknown.
    EXPECT(!Range(0x600000, 0x700000, piece).HugeKnown());
    EXPECT(!Range(0x400000, 0xd00000, piece).Covered());
  }
}

TEST(SmapsRangeOfNonsense) {
  SmapsRange range(0x1000, 0x2000);
  const std::string line(5000, 'x');
  range.Feed(line);
  range.Feed("\n2000-1000 rw\n-\nzz-yy\nAnonHugePages: 99999999999999999999 kB\n");
  EXPECT(!range.Covered());
  EXPECT_EQ(range.HugeBytes(), 0u);
}

TEST(CgroupPaths) {
  const std::string_view v1 =
      "9:name=systemd:/\n4:memory:/docker/1f:2\n2:cpu,cpuacct:/docker/1f\n0::/hybrid\n";
  EXPECT_EQ(FindCgroupPath(v1, "memory"), std::string_view("/docker/1f:2"));
  EXPECT_EQ(FindCgroupPath(v1, "cpuacct"), std::string_view("/docker/1f"));
  EXPECT_EQ(FindCgroupPath(v1, "cpuset"), std::string_view());
  EXPECT_EQ(FindCgroupPath(v1, ""), std::string_view("/hybrid"));
  EXPECT_EQ(FindCgroupPath("", ""), std::string_view());
  EXPECT_EQ(FindCgroupPath("no colons\n1:one\n", "one"), std::string_view());
}

TEST(CgroupMounts) {
  const std::string_view text =
      "23 1 0:20 / / rw - ext4 /dev/vda rw\n"
      "33 31 0:30 / /sys/fs/cgroup/cpu rw,relatime shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
      "35 31 0:32 /docker/1f /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 none rw\nbroken line - cgroup2\n";
  CgroupMount mount;
  EXPECT(FindCgroupMount(text, "cpuacct", &mount));
  EXPECT_EQ(mount.point, std::string_view("/sys/fs/cgroup/cpu"));
  EXPECT(FindCgroupMount(text, "memory", &mount));
  EXPECT_EQ(mount.root, std::string_view("/docker/1f"));
  EXPECT(FindCgroupMount(text, "", &mount));
  EXPECT_EQ(mount.point, std::string_view("/sys/fs/cgroup/unified"));
  EXPECT(!FindCgroupMount(text, "pids", &mount));
}

TEST(CgroupPathBelowMount) {
  EXPECT_EQ(PathBelowMount({"/", "/m"}, "/a/b"), std::string_view("/a/b"));
  EXPECT_EQ(PathBelowMount({"/", "/m"}, "/"), std::string_view(""));
  EXPECT_EQ(PathBelowMount({"/a", "/m"}, "/a/b"), std::string_view("/b"));
  EXPECT_EQ(PathBelowMount({"/a", "/m"}, "/a"), std::string_view(""));
  // A sibling that only begins alike, and a path of another namespace: the mount is the group.
  EXPECT_EQ(PathBelowMount({"/a", "/m"}, "/ab"), std::string_view(""));
  EXPECT_EQ(PathBelowMount({"/a", "/m"}, "/"), std::string_view(""));
}

TEST(CgroupLimits) {
  double value = 0;
  EXPECT(ParseCpuMax("150000 100000\n", &value));
  EXPECT_EQ(value, 1.5);
  EXPECT(ParseCpuMax("max 100000\n", &value));
  EXPECT(std::isinf(value));
  EXPECT(!ParseCpuMax("max\n", &value));
  EXPECT(!ParseCpuMax("100 0\n", &value));
  EXPECT(ParseLimit("max\n", &value) && std::isinf(value));
  EXPECT(ParseLimit("-1\n", &value) && std::isinf(value));
  EXPECT(ParseLimit("9223372036854771712\n", &value) && std::isinf(value));
  EXPECT(ParseLimit("536870912\n", &value));
  EXPECT_EQ(value, 536870912.0);
  EXPECT(!ParseLimit("", &value));
  EXPECT(HasWord("cpuset cpu io\n", "cpu"));
  EXPECT(!HasWord("cpuset io\n", "cpu"));
}
