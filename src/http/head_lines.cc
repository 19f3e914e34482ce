#include "http/head_lines.h"

#include <algorithm>
#include <array>

namespace tombolo::http {
namespace {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr auto kToken = make_token_table();

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

bool is_token_char(char c) {
  return kToken[static_cast<unsigned char>(c)];
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), is_control);
}

Parsed<std::optional<std::string_view>> HeadLines::next(std::string_view buffer) {
  for (; scan_ < buffer.size(); ++scan_) {
    const bool after_cr = scan_ > line_ && buffer[scan_ - 1] == '\r';
    const char c = buffer[scan_];
    if (after_cr != (c == '\n')) return std::unexpected(Failure::kBareLineEnd);
    if (scan_ >= kHeadMax) return std::unexpected(Failure::kHeadTooLarge);
    if (c == '\n') {
      const std::string_view line = buffer.substr(line_, scan_ - 1 - line_);
      // The first line and the last, empty one are not header fields.
      if (++lines_ > kHeadersMax + 1 && !line.empty()) return std::unexpected(Failure::kHeadTooLarge);
      line_ = ++scan_;
      return line;
    }
    if (c != '\r' && is_control(c)) return std::unexpected(Failure::kControlByte);
    if (lines_ == 0 && scan_ >= kStartLineMax) return std::unexpected(Failure::kTargetTooLong);
  }
  return std::nullopt;
}

Parsed<Headers::Field> parse_field(std::string_view line) {
  if (is_blank(line.front())) return std::unexpected(Failure::kFoldedHeader);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return std::unexpected(Failure::kBadHeaderName);
  }
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  return Headers::Field{line.substr(0, colon), value};
}

}  // namespace tombolo::http
