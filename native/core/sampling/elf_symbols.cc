#include "elf_symbols.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

#include "../os/os.h"

namespace sysopt::sampling {
namespace {

// The parts of ELF-64 that are used (System V ABI, chapters 4 and 5), in the processor's own byte order: elf.h is a
// system header.
struct FileHeader {
  unsigned char ident[16];
  std::uint16_t type, machine;
  std::uint32_t version;
  std::uint64_t entry, program_offset, section_offset;
  std::uint32_t flags;
  std::uint16_t header_size, program_size, program_count, section_size, section_count, names_index;
};
struct ProgramHeader {
  std::uint32_t type, flags;
  std::uint64_t offset, address, physical, file_size, memory_size, align;
};
struct SectionHeader {
  std::uint32_t name, type;
  std::uint64_t flags, address, offset, size;
  std::uint32_t link, info;
  std::uint64_t align, entry_size;
};
struct Symbol {
  std::uint32_t name;
  unsigned char info, other;
  std::uint16_t section;
  std::uint64_t value, size;
};
static_assert(sizeof(FileHeader) == 64 && sizeof(ProgramHeader) == 56 && sizeof(SectionHeader) == 64 &&
              sizeof(Symbol) == 24);

constexpr std::uint32_t kLoad = 1;
constexpr std::uint32_t kFullTable = 2;
constexpr std::uint32_t kExportedTable = 11;
constexpr unsigned char kFunction = 2;
constexpr unsigned char kIndirectFunction = 10;
// Functions written in assembler may have no size; beyond this many bytes it is another that has no name.
constexpr std::uint64_t kUnsizedReach = 4096;
constexpr std::size_t kSymbolsAtOnce = 4096;
constexpr std::size_t kMaxMangled = 4096;
constexpr std::size_t kMaxName = 1024;

// The addresses that `symbol` explains better than what they have: a symbol that holds them beats one that merely
// stands before them, and the nearer start beats the farther.
void Offer(SymbolQuery* queries, std::size_t count, const Symbol& symbol) noexcept {
  const bool has_size = symbol.size > 0;
  const std::uint64_t reach = has_size ? symbol.size : kUnsizedReach;
  SymbolQuery* at = std::lower_bound(
      queries, queries + count, symbol.value,
      [](const SymbolQuery& query, std::uint64_t value) { return query.address < value; });
  for (; at != queries + count && at->address - symbol.value < reach; ++at) {
    const bool had_size = at->has_symbol && at->size > 0;
    const bool is_better = !at->has_symbol || (has_size && !had_size) ||
                           (has_size == had_size && symbol.value > at->start);
    if (!is_better) continue;
    at->has_symbol = true;
    at->start = symbol.value;
    at->size = symbol.size;
    at->name = symbol.name;
  }
}

}  // namespace

ElfSymbols::~ElfSymbols() {
  if (file_ >= 0) os::CloseKept(file_);
}

Status ElfSymbols::ReadExactly(std::uint64_t offset, void* into, std::size_t size) const noexcept {
  std::size_t got = 0;
  const Status status = os::ReadAt(file_, offset, static_cast<char*>(into), size, &got);
  bytes_read_ += got;
  if (!status.ok()) return status;
  return got == size ? Status::Ok() : Status::Fail(EIO, "pread", "the file ends before its tables do");
}

Status ElfSymbols::Open(const char* path) noexcept {
  if (const Status status = os::OpenKept(path, &file_); !status.ok()) return status;
  return ChooseTable();
}

Status ElfSymbols::ChooseTable() noexcept {
  FileHeader header;
  if (const Status status = ReadExactly(0, &header, sizeof header); !status.ok()) return status;
  static constexpr unsigned char kMagic[] = {0x7f, 'E', 'L', 'F', 2, 1};
  if (std::memcmp(header.ident, kMagic, sizeof kMagic) != 0) return Status::Fail(ENOEXEC, "pread");
  if (header.section_offset == 0 || header.section_size != sizeof(SectionHeader)) return Status::Ok();
  SectionHeader chosen{};
  for (std::uint16_t i = 0; i < header.section_count; ++i) {
    SectionHeader section;
    const std::uint64_t offset = header.section_offset + std::uint64_t{i} * sizeof section;
    if (const Status status = ReadExactly(offset, &section, sizeof section); !status.ok()) return status;
    const SymbolTable kind = section.type == kFullTable       ? SymbolTable::kFull
                             : section.type == kExportedTable ? SymbolTable::kExported
                                                              : SymbolTable::kNone;
    if (kind <= table_ || section.entry_size != sizeof(Symbol)) continue;
    table_ = kind;
    chosen = section;
  }
  if (table_ == SymbolTable::kNone) return Status::Ok();
  symbols_offset_ = chosen.offset;
  symbols_size_ = chosen.size;
  SectionHeader names;
  const std::uint64_t offset = header.section_offset + std::uint64_t{chosen.link} * sizeof names;
  if (chosen.link >= header.section_count) return Status::Fail(ENOEXEC, "pread");
  if (const Status status = ReadExactly(offset, &names, sizeof names); !status.ok()) return status;
  names_offset_ = names.offset;
  names_size_ = names.size;
  return Status::Ok();
}

// From offsets in the file to the addresses that the symbols speak of.
Status ElfSymbols::Locate(SymbolQuery* queries, std::size_t count) const noexcept {
  FileHeader header;
  if (const Status status = ReadExactly(0, &header, sizeof header); !status.ok()) return status;
  if (header.program_size != sizeof(ProgramHeader)) return Status::Fail(ENOEXEC, "pread");
  for (std::size_t i = 0; i < count; ++i) queries[i].address = 0;
  for (std::uint16_t i = 0; i < header.program_count; ++i) {
    ProgramHeader part;
    const std::uint64_t offset = header.program_offset + std::uint64_t{i} * sizeof part;
    if (const Status status = ReadExactly(offset, &part, sizeof part); !status.ok()) return status;
    if (part.type != kLoad) continue;
    for (std::size_t j = 0; j < count; ++j) {
      SymbolQuery& query = queries[j];
      if (query.offset >= part.offset && query.offset - part.offset < part.file_size)
        query.address = part.address + (query.offset - part.offset);
    }
  }
  return Status::Ok();
}

Status ElfSymbols::Find(SymbolQuery* queries, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    SymbolQuery& query = queries[i];
    unsigned char before[4];
    query.follows_system_call = query.offset >= sizeof before &&
                                ReadExactly(query.offset - sizeof before, before, sizeof before).ok() &&
                                os::EndsInSystemCall(before, sizeof before);
  }
  if (table_ == SymbolTable::kNone) return Status::Ok();
  if (const Status status = Locate(queries, count); !status.ok()) return status;
  std::sort(queries, queries + count,
            [](const SymbolQuery& a, const SymbolQuery& b) { return a.address < b.address; });
  const std::unique_ptr<Symbol[]> piece(new (std::nothrow) Symbol[kSymbolsAtOnce]);
  if (!piece) return Status::Fail(ENOMEM, "malloc");
  const std::uint64_t total = symbols_size_ / sizeof(Symbol);
  for (std::uint64_t done = 0; done < total;) {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(kSymbolsAtOnce, total - done));
    const Status status =
        ReadExactly(symbols_offset_ + done * sizeof(Symbol), piece.get(), now * sizeof(Symbol));
    if (!status.ok()) return status;
    for (std::size_t i = 0; i < now; ++i) {
      const unsigned char type = piece[i].info & 0xf;
      const bool is_defined = piece[i].section != 0 && piece[i].value != 0;
      if (is_defined && (type == kFunction || type == kIndirectFunction)) Offer(queries, count, piece[i]);
    }
    done += now;
  }
  return Status::Ok();
}

std::string ElfSymbols::NameOf(const SymbolQuery& query) const {
  if (!query.has_symbol || query.name >= names_size_) return {};
  char raw[kMaxMangled];
  std::size_t got = 0;
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(sizeof raw - 1, names_size_ - query.name));
  if (!os::ReadAt(file_, names_offset_ + query.name, raw, most, &got).ok()) return {};
  bytes_read_ += got;
  raw[got] = '\0';
  char readable[kMaxName];
  if (os::Demangle(raw, readable, sizeof readable)) return readable;
  std::string name(raw);
  if (name.size() >= kMaxName) name.resize(kMaxName - 1);
  return name;
}

}  // namespace sysopt::sampling
