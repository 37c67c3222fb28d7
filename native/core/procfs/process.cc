#include "process.h"

#include "text.h"

namespace sysopt::procfs {
namespace {

// Skips words; the next TakeWord() gives the one after them.
void SkipWords(std::string_view* text, int count) noexcept {
  for (int i = 0; i < count; ++i) TakeWord(text);
}

}  // namespace

bool ParseSchedStat(std::string_view text, SchedStat* out) noexcept {
  SchedStat stat;
  if (!ParseNumber(TakeWord(&text), &stat.on_cpu_ns) || !ParseNumber(TakeWord(&text), &stat.runnable_ns) ||
      !ParseNumber(TakeWord(&text), &stat.timeslices)) {
    return false;
  }
  *out = stat;
  return true;
}

// Fields are numbered as in proc(5), from 1. The name is field 2, in brackets.
bool ParseStat(std::string_view text, Stat* out) noexcept {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return false;
  std::string_view rest = text.substr(name_end + 1);
  Stat stat;
  const std::string_view state = TakeWord(&rest);  // 3
  if (state.size() != 1) return false;
  stat.state = state.front();
  SkipWords(&rest, 10);                                                 // 4 to 13
  if (!ParseNumber(TakeWord(&rest), &stat.user_ticks)) return false;    // 14
  if (!ParseNumber(TakeWord(&rest), &stat.system_ticks)) return false;  // 15
  SkipWords(&rest, 4);                                                  // 16 to 19
  if (!ParseNumber(TakeWord(&rest), &stat.threads)) return false;       // 20
  SkipWords(&rest, 18);                                                 // 21 to 38
  if (!ParseNumber(TakeWord(&rest), &stat.last_cpu)) return false;      // 39
  *out = stat;
  return true;
}

bool ParseStatus(std::string_view text, ThreadStatus* out) noexcept {
  ThreadStatus status;
  if (!FindNumber(text, "voluntary_ctxt_switches", &status.voluntary_switches) ||
      !FindNumber(text, "nonvoluntary_ctxt_switches", &status.involuntary_switches)) {
    return false;
  }
  *out = status;
  return true;
}

bool ParseResidentPages(std::string_view text, std::uint64_t* pages) noexcept {
  TakeWord(&text);
  return ParseNumber(TakeWord(&text), pages);
}

int ParseHostCpu(std::string_view text, std::uint64_t (&ticks)[kHostCpuFields]) noexcept {
  std::string_view line = TakeLine(&text);
  if (TakeWord(&line) != "cpu") return 0;
  int count = 0;
  while (count < kHostCpuFields && ParseNumber(TakeWord(&line), &ticks[count])) ++count;
  return count;
}

bool ParsePressure(std::string_view text, double* share) noexcept {
  constexpr std::string_view kAverage = "avg10=";
  while (!text.empty()) {
    std::string_view line = TakeLine(&text);
    if (TakeWord(&line) != "some") continue;
    std::string_view average = TakeWord(&line);
    double percent = 0;
    if (!average.starts_with(kAverage)) return false;
    average.remove_prefix(kAverage.size());
    if (!ParseDecimal(average, &percent)) return false;
    *share = percent / 100;
    return true;
  }
  return false;
}

}  // namespace sysopt::procfs
