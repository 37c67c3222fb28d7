// A scripted kernel, for tests of what the core does when the system refuses, lies or runs short.
//
// Memory is real (from the C++ heap), so that reads and writes work; everything else is what the test set.
// The state is global, like a kernel's; tests run one at a time and call Reset() first.
#ifndef SYSOPT_CORE_OS_FAKE_H_
#define SYSOPT_CORE_OS_FAKE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "os.h"

namespace sysopt::os::fake {

struct Counter {
  int error = 0;              // refuses every open
  int error_with_kernel = 0;  // refuses an open that includes the kernel part
  int error_in_group = 0;     // refuses to join a group
  int error_with_inherit = 0;
  std::uint64_t value = 0;
  // Value that the counter's page gives; 0: the page does not allow reading without the kernel.
  std::uint64_t user_value = 0;
};

struct Kernel {
  std::size_t huge_page_size = std::size_t{2} << 20;
  // Errors by call name ("mmap", "munmap", "madvise-huge", "populate", "discard", …). 0: works.
  std::map<std::string, int> errors;
  // Errors of the next calls of a name, 0 for one that works; used up before `errors` applies.
  std::map<std::string, std::vector<int>> next_errors;
  std::map<std::string, std::string> files;
  std::map<std::string, std::vector<std::string>> directories;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Counter> counters;
  CpuSet affinity;
  // CPUs of the process' first thread.
  CpuSet process_affinity;
  // CPUs that exist: SetAffinity() drops others without a word, as Linux does.
  CpuSet online;
  std::uint64_t time_enabled = 1000;
  std::uint64_t time_running = 1000;
  // Hardware counters of the processor: a larger group is refused.
  std::size_t hardware_counters = 64;
  // Of those, as many as something else holds: a group that needs one of them gets no time.
  std::size_t held_counters = 0;
  // Numbers that a read of a group leaves out at its end.
  std::size_t short_read = 0;
  std::uint64_t now_ns = 0;
  std::string thread_name;
  std::uintptr_t stack_low = 0;
  std::uintptr_t stack_high = 0;
  int nice = 0;

  // What the core has open now. All are empty when it cleaned up after itself.
  std::map<void*, std::size_t> mappings;
  std::map<int, CounterSpec> descriptors;
  std::map<int, std::string> kept;
  std::map<const void*, int> counter_pages;
  // Calls in order, by name.
  std::vector<std::string> calls;
};

Kernel& State();
void Reset();

}  // namespace sysopt::os::fake

#endif  // SYSOPT_CORE_OS_FAKE_H_
