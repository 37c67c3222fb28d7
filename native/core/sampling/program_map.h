// Which file each executable address of this process came from, by /proc/self/maps.
//
// Rejected: dl_iterate_phdr, which knows neither of code that V8 maps a second time (its builtins, next to its own
// code) nor of memory without a file, which is what compiled JavaScript lies in.
#ifndef SYSOPT_CORE_SAMPLING_PROGRAM_MAP_H_
#define SYSOPT_CORE_SAMPLING_PROGRAM_MAP_H_

#include <cstdint>
#include <map>
#include <string>

#include "../status.h"

namespace sysopt::sampling {

struct CodeRange {
  std::uintptr_t start = 0;
  std::uintptr_t end = 0;
  // Where in the file the range begins.
  std::uint64_t offset = 0;
  // Empty for memory without a file; `[vdso]` for the kernel's own.
  std::string path;
};

// Executable ranges, by the address behind their last byte: upper_bound() finds the one that may hold an address.
using ProgramMap = std::map<std::uintptr_t, CodeRange>;

// Adds the ranges to `map`. About 10 µs for each hundred mappings.
Status ReadProgramMap(ProgramMap* map) noexcept;

// The range that holds `address`, or null.
const CodeRange* FindRange(const ProgramMap& map, std::uintptr_t address) noexcept;

}  // namespace sysopt::sampling

#endif  // SYSOPT_CORE_SAMPLING_PROGRAM_MAP_H_
