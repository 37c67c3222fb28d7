// Reading numbers and words out of procfs text. No allocation, no I/O, no locale; any input is safe.
#ifndef SYSOPT_CORE_PROCFS_TEXT_H_
#define SYSOPT_CORE_PROCFS_TEXT_H_

#include <cstdint>
#include <string_view>

namespace sysopt::procfs {

// Takes the first line off `text`, without its line break. The last one needs none.
std::string_view TakeLine(std::string_view* text) noexcept;

// Takes the next run of characters other than blanks, tabs and line breaks; empty at the end.
std::string_view TakeWord(std::string_view* text) noexcept;

// The whole of `word` as a number in the given base (10 or 16). False for anything else, and for overflow.
bool ParseNumber(std::string_view word, std::uint64_t* out, int base = 10) noexcept;

// `Key:   123 kB` lines: the number behind `key` at the start of a line. False where there is none.
bool FindNumber(std::string_view text, std::string_view key, std::uint64_t* out) noexcept;

// Non-negative decimals such as `12.34`.
bool ParseDecimal(std::string_view word, double* out) noexcept;

}  // namespace sysopt::procfs

#endif  // SYSOPT_CORE_PROCFS_TEXT_H_
