#include "../procfs/process.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string_view>

#include "../os/os.h"
#include "../procfs/smaps.h"
#include "../procfs/text.h"
#include "figures.h"

namespace sysopt::figures {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// A small file on the stack; empty where it cannot be read.
class Text {
 public:
  explicit Text(const char* path) noexcept {
    if (!os::ReadFile(path, buffer_, sizeof buffer_, &length_).ok()) length_ = 0;
  }
  operator std::string_view() const noexcept { return {buffer_, length_}; }

 private:
  char buffer_[4096];
  std::size_t length_ = 0;
};

double Number(std::uint64_t value) noexcept { return static_cast<double>(value); }

struct ThreadRows {
  double* out;
  std::size_t rows;
  std::size_t count = 0;
};

void FillThread(std::uint64_t tid, double* row) noexcept {
  char path[64];
  row[0] = Number(tid);
  procfs::SchedStat sched;
  std::snprintf(path, sizeof path, "/proc/self/task/%llu/schedstat", static_cast<unsigned long long>(tid));
  const bool has_sched = procfs::ParseSchedStat(Text(path), &sched);
  row[1] = has_sched ? Number(sched.on_cpu_ns) : kUnknown;
  row[2] = has_sched ? Number(sched.runnable_ns) : kUnknown;
  row[3] = has_sched ? Number(sched.timeslices) : kUnknown;
  procfs::Stat stat;
  std::snprintf(path, sizeof path, "/proc/self/task/%llu/stat", static_cast<unsigned long long>(tid));
  row[4] = procfs::ParseStat(Text(path), &stat) ? Number(stat.last_cpu) : kUnknown;
}

}  // namespace

std::size_t ReadThreads(double* out, std::size_t rows) noexcept {
  ThreadRows target{out, rows};
  const Status listed = os::ListDirectory(
      "/proc/self/task",
      [](void* context, const char* name) noexcept {
        ThreadRows& threads = *static_cast<ThreadRows*>(context);
        std::uint64_t tid = 0;
        if (!procfs::ParseNumber(name, &tid)) return;
        if (threads.count < threads.rows) FillThread(tid, threads.out + threads.count * kThreadColumns);
        ++threads.count;
      },
      &target);
  return listed.ok() ? target.count : 0;
}

void ReadThreadName(std::uint32_t tid, char (&name)[kMaxThreadName]) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%llu/comm",
                static_cast<unsigned long long>(tid == 0 ? os::ThreadId() : tid));
  const Text text(path);
  std::string_view rest = text;
  if (rest.ends_with('\n')) rest.remove_suffix(1);  // the name itself may hold line breaks
  const std::size_t length = rest.size() < kMaxThreadName - 1 ? rest.size() : kMaxThreadName - 1;
  rest.copy(name, length);
  name[length] = '\0';
}

void ReadProcess(double* out) noexcept {
  for (std::size_t i = 0; i < kProcessColumns; ++i) out[i] = kUnknown;
  os::ProcessUsage usage;
  if (os::GetProcessUsage(&usage).ok()) {
    out[0] = Number(usage.user_ns);
    out[1] = Number(usage.system_ns);
    out[2] = Number(usage.minor_faults);
    out[3] = Number(usage.major_faults);
    if (usage.has_switches) {
      out[4] = Number(usage.voluntary_switches);
      out[5] = Number(usage.involuntary_switches);
    }
  }
  std::uint64_t pages = 0;
  if (procfs::ParseResidentPages(Text("/proc/self/statm"), &pages)) out[6] = Number(pages * os::PageSize());
  procfs::Stat stat;
  if (procfs::ParseStat(Text("/proc/self/stat"), &stat)) out[7] = Number(stat.threads);
  std::uint64_t descriptors = 0;
  if (os::OpenDescriptors(&descriptors).ok()) out[8] = Number(descriptors);
}

void ReadHostCpu(double* out) noexcept {
  // Only the first line matters, and the file grows with the CPUs and interrupts.
  struct FirstLine {
    char text[512];
    std::size_t length = 0;
  } line;
  const Status streamed = os::StreamFile(
      "/proc/stat",
      [](void* context, std::string_view piece) noexcept {
        FirstLine& first = *static_cast<FirstLine*>(context);
        const std::size_t room = sizeof first.text - first.length;
        const std::size_t kept = piece.size() < room ? piece.size() : room;
        std::memcpy(first.text + first.length, piece.data(), kept);
        first.length += kept;
      },
      &line);
  std::uint64_t ticks[procfs::kHostCpuFields] = {};
  const int known = streamed.ok() ? procfs::ParseHostCpu({line.text, line.length}, ticks) : 0;
  for (int i = 0; i < procfs::kHostCpuFields; ++i) {
    out[i] = i < known ? Number(ticks[i]) * Number(os::TickNs()) : kUnknown;
  }
}

void ReadMemoryMap(double* out) noexcept {
  const procfs::MemoryMap map = procfs::ParseSmapsRollup(Text("/proc/self/smaps_rollup"));
  const procfs::MemoryMap::Figure figures[kMemoryMapColumns] = {
      map.rss,           map.pss,       map.shared_clean,   map.shared_dirty, map.private_clean,
      map.private_dirty, map.anonymous, map.anonymous_huge, map.swap};
  for (std::size_t i = 0; i < kMemoryMapColumns; ++i) {
    out[i] = figures[i].known ? Number(figures[i].bytes) : kUnknown;
  }
}

void ReadPressure(double* out) noexcept {
  constexpr const char* kFiles[kPressureColumns] = {"/proc/pressure/cpu", "/proc/pressure/memory",
                                                    "/proc/pressure/io"};
  for (std::size_t i = 0; i < kPressureColumns; ++i) {
    double share = 0;
    out[i] = procfs::ParsePressure(Text(kFiles[i]), &share) ? share : kUnknown;
  }
}

}  // namespace sysopt::figures
