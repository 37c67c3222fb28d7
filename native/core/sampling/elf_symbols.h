// Names of functions from an ELF file's symbol table, for the few addresses that are asked for.
//
// The table is read once, in pieces, and each symbol is looked up among the addresses: 2.6 MiB and no index for
// Node's 110,000 symbols. Rejected: dladdr, which sees exported symbols only and so none of V8's builtins; mmap,
// under which a file that is cut short meanwhile would end the process; a sorted index of the table, which costs
// more than the one pass that is needed.
#ifndef SYSOPT_CORE_SAMPLING_ELF_SYMBOLS_H_
#define SYSOPT_CORE_SAMPLING_ELF_SYMBOLS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "../status.h"

namespace sysopt::sampling {

// Which names a file has: `full` those of all functions, `exported` those that others may call, `none` after strip
// of a program that exports nothing.
enum class SymbolTable : std::uint8_t { kNone, kExported, kFull };

struct SymbolQuery {
  // Offset of an instruction in the file.
  std::uint64_t offset = 0;
  // Answer: the symbol's address as the file says it, and its size. `has_symbol` false: none holds the instruction.
  bool has_symbol = false;
  std::uint64_t start = 0;
  std::uint64_t size = 0;
  std::uint32_t name = 0;
  // The bytes before the instruction call the kernel.
  bool follows_system_call = false;

  // Working figure: where the instruction lies once loaded.
  std::uint64_t address = 0;
};

class ElfSymbols {
 public:
  ElfSymbols() = default;
  ElfSymbols(const ElfSymbols&) = delete;
  ElfSymbols& operator=(const ElfSymbols&) = delete;
  ~ElfSymbols();

  // ENOEXEC for what is no 64-bit little-endian ELF file.
  Status Open(const char* path) noexcept;

  // Answers `queries`, which it sorts by address. Any content of the file is answered without harm: what its tables say is checked
  // against its length. EIO where it ends before its tables do.
  Status Find(SymbolQuery* queries, std::size_t count) noexcept;

  // Readable name of a found symbol, cut at 1,023 bytes; empty where it has none.
  std::string NameOf(const SymbolQuery& query) const;

  SymbolTable table() const noexcept { return table_; }
  std::uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  Status ReadExactly(std::uint64_t offset, void* into, std::size_t size) const noexcept;
  Status ChooseTable() noexcept;
  Status Locate(SymbolQuery* queries, std::size_t count) const noexcept;

  int file_ = -1;
  SymbolTable table_ = SymbolTable::kNone;
  std::uint64_t symbols_offset_ = 0;
  std::uint64_t symbols_size_ = 0;
  std::uint64_t names_offset_ = 0;
  std::uint64_t names_size_ = 0;
  mutable std::uint64_t bytes_read_ = 0;
};

}  // namespace sysopt::sampling

#endif  // SYSOPT_CORE_SAMPLING_ELF_SYMBOLS_H_
