#include "memory_probe.h"

#include <algorithm>
#include <limits>

#include "../os/os.h"

namespace sysopt::probe {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kWindows = 7;
constexpr std::size_t kStepsAtOnce = 4096;

// xorshift64*: the same chain on every run, and no table that would itself take cache.
class Random {
 public:
  std::uint64_t Below(std::uint64_t bound) noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return (state_ * 0x2545F4914F6CDD1Dull >> 11) % bound;
  }

 private:
  std::uint64_t state_ = 0x9E3779B97F4A7C15ull;
};

// CPU time of this thread, so that waiting for a processor is no latency; wall-clock time where there is none.
std::uint64_t UsedNs() noexcept {
  std::uint64_t ns = 0;
  return os::ThreadCpuTime(&ns).ok() ? ns : os::MonotonicNs();
}

// A place for results, so that the loops that make them are not left out.
volatile std::uintptr_t sink = 0;

std::uintptr_t* Line(void* memory, std::size_t index, std::size_t stride) noexcept {
  return reinterpret_cast<std::uintptr_t*>(static_cast<char*>(memory) + index * stride);
}

// Sattolo's shuffle: a permutation that is one cycle.
void Link(void* memory, std::size_t lines, std::size_t stride) noexcept {
  Random random;
  for (std::size_t i = 0; i < lines; ++i) *Line(memory, i, stride) = i;
  for (std::size_t i = lines - 1; i > 0; --i) {
    std::swap(*Line(memory, i, stride), *Line(memory, random.Below(i), stride));
  }
  for (std::size_t i = 0; i < lines; ++i) {
    *Line(memory, i, stride) = reinterpret_cast<std::uintptr_t>(Line(memory, *Line(memory, i, stride), stride));
  }
}

const std::uintptr_t* Follow(const std::uintptr_t* at, std::size_t steps) noexcept {
  for (std::size_t i = 0; i < steps; ++i) at = reinterpret_cast<const std::uintptr_t*>(*at);
  return at;
}

double Median(double* values, std::size_t count) noexcept {
  std::sort(values, values + count);
  return values[count / 2];
}

}  // namespace

double ChaseLatency(void* memory, std::size_t size, std::size_t stride, std::uint64_t budget_ns) noexcept {
  const std::size_t lines = size / stride;
  if (lines < 2) return kUnknown;
  Link(memory, lines, stride);
  const std::uintptr_t* at = Line(memory, 0, stride);
  const std::uint64_t window_ns = budget_ns / (kWindows + 1);

  // One round, or as much of it as a window lasts, brings into the caches what stays there.
  const std::uint64_t warm_end = os::MonotonicNs() + window_ns;
  for (std::size_t done = 0; done < lines && os::MonotonicNs() < warm_end; done += kStepsAtOnce) {
    at = Follow(at, kStepsAtOnce);
  }
  double costs[kWindows];
  for (double& cost : costs) {
    const std::uint64_t start = UsedNs();
    const std::uint64_t end = os::MonotonicNs() + window_ns;
    std::uint64_t steps = 0;
    do {
      at = Follow(at, kStepsAtOnce);
      steps += kStepsAtOnce;
    } while (os::MonotonicNs() < end);
    cost = static_cast<double>(UsedNs() - start) / static_cast<double>(steps);
  }
  sink = reinterpret_cast<std::uintptr_t>(at);
  return Median(costs, kWindows);
}

double ReadBandwidth(const void* memory, std::size_t size, std::uint64_t budget_ns) noexcept {
  const auto* const words = static_cast<const std::uint64_t*>(memory);
  const std::size_t count = size / 64 * 8;
  if (count == 0) return kUnknown;
  double rates[kWindows];
  for (double& rate : rates) {
    const std::uint64_t start = UsedNs();
    const std::uint64_t end = os::MonotonicNs() + budget_ns / kWindows;
    std::uint64_t bytes = 0;
    do {
      // Independent sums: one would wait for its additions rather than for memory.
      std::uint64_t sums[8] = {};
      for (std::size_t i = 0; i < count; i += 8) {
        for (std::size_t j = 0; j < 8; ++j) sums[j] += words[i + j];
      }
      for (const std::uint64_t sum : sums) sink = sink + static_cast<std::uintptr_t>(sum);
      bytes += count * 8;
    } while (os::MonotonicNs() < end);
    // A clock of coarse steps may not have moved.
    const std::uint64_t used_ns = UsedNs() - start;
    rate = used_ns == 0 ? kUnknown : static_cast<double>(bytes) / (static_cast<double>(used_ns) / 1e9);
  }
  return Median(rates, kWindows);
}

ClockCosts MeasureClocks() noexcept {
  constexpr int kCalls = 1000;
  ClockCosts costs;
  double clock[kWindows];
  double syscall[kWindows];
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t w = 0; w < kWindows; ++w) {
    std::uint64_t last = os::MonotonicNs();
    std::uint64_t used = UsedNs();
    for (int i = 0; i < kCalls; ++i) {
      const std::uint64_t now = os::MonotonicNs();
      if (now > last) least = std::min(least, now - last);
      last = now;
    }
    clock[w] = static_cast<double>(UsedNs() - used) / kCalls;
    used = UsedNs();
    for (int i = 0; i < kCalls; ++i) sink = static_cast<std::uintptr_t>(os::ThreadId());
    syscall[w] = static_cast<double>(UsedNs() - used) / kCalls;
  }
  costs.resolution_ns = static_cast<double>(least);
  costs.clock_ns = Median(clock, kWindows);
  costs.syscall_ns = Median(syscall, kWindows);
  return costs;
}

}  // namespace sysopt::probe
