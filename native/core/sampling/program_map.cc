#include "program_map.h"

#include <string_view>

#include "../os/os.h"

namespace sysopt::sampling {
namespace {

// Longer lines, of paths beyond what Linux allows, are left out.
constexpr std::size_t kMaxLine = 4096 + 128;

struct Reader {
  ProgramMap* map;
  char line[kMaxLine];
  std::size_t length = 0;
  bool is_too_long = false;
};

bool TakeHex(std::string_view* text, std::uint64_t* value) noexcept {
  std::uint64_t number = 0;
  std::size_t at = 0;
  for (; at < text->size() && at < 16; ++at) {
    const char c = (*text)[at];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) break;
    number = number << 4 | static_cast<std::uint64_t>(digit);
  }
  if (at == 0) return false;
  text->remove_prefix(at);
  *value = number;
  return true;
}

bool TakeChar(std::string_view* text, char wanted) noexcept {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

void SkipWord(std::string_view* text) noexcept {
  while (!text->empty() && text->front() != ' ') text->remove_prefix(1);
  while (!text->empty() && text->front() == ' ') text->remove_prefix(1);
}

// `start-end perms offset device inode   path`
void AddLine(ProgramMap* map, std::string_view line) {
  std::uint64_t start = 0, end = 0, offset = 0;
  if (!TakeHex(&line, &start) || !TakeChar(&line, '-') || !TakeHex(&line, &end) || !TakeChar(&line, ' ')) return;
  if (line.size() < 5 || line[2] != 'x' || end <= start) return;
  SkipWord(&line);
  if (!TakeHex(&line, &offset)) return;
  SkipWord(&line);  // what is left of the offset: the blank
  SkipWord(&line);  // device
  SkipWord(&line);  // inode
  CodeRange range;
  range.start = static_cast<std::uintptr_t>(start);
  range.end = static_cast<std::uintptr_t>(end);
  range.offset = offset;
  // Names in brackets are no files, and V8 may name its code `[anon:v8]`; the kernel's own code is told apart.
  if (!line.empty() && (line.front() == '/' || line == "[vdso]")) range.path = std::string(line);
  (*map)[range.end] = range;
}

void TakePiece(void* context, std::string_view piece) noexcept {
  auto& reader = *static_cast<Reader*>(context);
  for (const char c : piece) {
    if (c == '\n') {
      if (!reader.is_too_long) AddLine(reader.map, {reader.line, reader.length});
      reader.length = 0;
      reader.is_too_long = false;
    } else if (reader.length < kMaxLine) {
      reader.line[reader.length++] = c;
    } else {
      reader.is_too_long = true;
    }
  }
}

}  // namespace

Status ReadProgramMap(ProgramMap* map) noexcept {
  Reader reader;
  reader.map = map;
  return os::StreamFile("/proc/self/maps", TakePiece, &reader);
}

const CodeRange* FindRange(const ProgramMap& map, std::uintptr_t address) noexcept {
  const auto found = map.upper_bound(address);
  return found != map.end() && found->second.start <= address ? &found->second : nullptr;
}

}  // namespace sysopt::sampling
