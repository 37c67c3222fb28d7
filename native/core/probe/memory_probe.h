// What memory and the system cost on this machine, measured: the sizes that a processor advertises are not those
// that a virtual machine gets.
//
// Latency: a random pointer chase. Each line holds the address of the next, in one cycle through all lines, so that no
// access can begin before the last has ended and no prefetcher can guess. Rejected: strides (prefetched), and
// independent random reads (which overlap, and measure how many misses the processor keeps in flight).
//
// Each figure is the median of several windows: a neighbour on the machine delays some of them, and the least would
// be that of moments that a service does not see either.
#ifndef SYSOPT_CORE_PROBE_MEMORY_PROBE_H_
#define SYSOPT_CORE_PROBE_MEMORY_PROBE_H_

#include <cstddef>
#include <cstdint>

namespace sysopt::probe {

// Nanoseconds an access in a random chase over `size` bytes at `memory`, which is overwritten. Setting the chain up
// comes on top of `budget_ns`: some 10 ns a line while it fits into caches, up to 200 beyond. NaN for fewer than
// two lines. Pre: memory aligned for pointers, stride a multiple of their size and not 0.
double ChaseLatency(void* memory, std::size_t size, std::size_t stride, std::uint64_t budget_ns) noexcept;

// Bytes a second that one thread reads from `memory` in order. NaN for fewer than 64 bytes. Pre: aligned for 64-bit
// words.
double ReadBandwidth(const void* memory, std::size_t size, std::uint64_t budget_ns) noexcept;

struct ClockCosts {
  // The least step of the monotonic clock that was seen.
  double resolution_ns = 0;
  // Reading that clock once.
  double clock_ns = 0;
  // The cheapest system call.
  double syscall_ns = 0;
};

// Takes about a millisecond.
ClockCosts MeasureClocks() noexcept;

}  // namespace sysopt::probe

#endif  // SYSOPT_CORE_PROBE_MEMORY_PROBE_H_
