#include "text.h"

#include <charconv>

namespace sysopt::procfs {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

}  // namespace

std::string_view TakeLine(std::string_view* text) noexcept {
  const std::size_t end = text->find('\n');
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return line;
}

std::string_view TakeWord(std::string_view* text) noexcept {
  const std::size_t start = text->find_first_not_of(kBlanks);
  if (start == std::string_view::npos) {
    *text = {};
    return {};
  }
  text->remove_prefix(start);
  const std::string_view word = text->substr(0, text->find_first_of(kBlanks));
  text->remove_prefix(word.size());
  return word;
}

bool ParseNumber(std::string_view word, std::uint64_t* out, int base) noexcept {
  std::uint64_t value = 0;
  const char* const end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, value, base);
  if (error != std::errc() || stopped != end) return false;
  *out = value;
  return true;
}

bool FindNumber(std::string_view text, std::string_view key, std::uint64_t* out) noexcept {
  while (!text.empty()) {
    std::string_view line = TakeLine(&text);
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    // `Rss` must not match `RssAnon:`.
    if (line.empty() || (line.front() != ':' && line.front() != ' ' && line.front() != '\t')) continue;
    if (line.front() == ':') line.remove_prefix(1);
    return ParseNumber(TakeWord(&line), out);
  }
  return false;
}

// By hand, since from_chars for floating point is missing from older standard libraries and strtod follows
// the locale.
bool ParseDecimal(std::string_view word, double* out) noexcept {
  const std::size_t point = word.find('.');
  std::uint64_t whole = 0;
  if (!ParseNumber(word.substr(0, point), &whole)) return false;
  double value = static_cast<double>(whole);
  if (point != std::string_view::npos) {
    const std::string_view digits = word.substr(point + 1);
    std::uint64_t fraction = 0;
    if (digits.size() > 18 || !ParseNumber(digits, &fraction)) return false;
    double scale = 1;
    for (std::size_t i = 0; i < digits.size(); ++i) scale *= 10;
    value += static_cast<double>(fraction) / scale;
  }
  *out = value;
  return true;
}

}  // namespace sysopt::procfs
