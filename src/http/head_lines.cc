#include "http/head_lines.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

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

// How many bytes at the front are neither controls nor tabs: eight at a time, because heads consist of little else. May
// stop early, before a byte that borrows from its neighbour; never late.
std::size_t plain_run(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  std::size_t at = 0;
  while (at + sizeof(std::uint64_t) <= text.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof(word));
    const std::uint64_t delete_bytes = word ^ (kOnes * 0x7F);
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
    if ((below_space | ((delete_bytes - kOnes) & ~delete_bytes & kHighs)) != 0) break;
    at += sizeof(word);
  }
  while (at < text.size() && !is_control(text[at]) && text[at] != '\t') ++at;
  return at;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

bool is_token_char(char c) {
  return kToken[static_cast<unsigned char>(c)];
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_token_char(c); });
}

bool is_field_value(std::string_view text) {
  text.remove_prefix(plain_run(text));
  return std::none_of(text.begin(), text.end(), is_control);
}

Parsed<std::optional<std::string_view>> HeadLines::next(std::string_view buffer) {
  for (; scan_ < buffer.size(); ++scan_) {
    const bool after_cr = scan_ > line_ && buffer[scan_ - 1] == '\r';
    if (!after_cr) {
      const std::size_t limit = std::min(buffer.size(), lines_ == 0 ? kStartLineMax : kHeadMax);
      if (scan_ < limit) scan_ += plain_run(buffer.substr(scan_, limit - scan_));
      if (scan_ == buffer.size()) break;
    }
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
