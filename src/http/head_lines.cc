#include "http/head_lines.h"

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <bit>

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

// One bit for each of the sixteen bytes that is a control or a tab.
unsigned controls(const char* text) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i below_space = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  const __m128i deletes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(below_space, deletes)));
}

// How many bytes at the front are neither controls nor tabs: sixteen at a time, because heads consist of little else.
std::size_t plain_run(std::string_view text) {
  constexpr std::size_t kStep = sizeof(__m128i);
  std::size_t at = 0;
  for (; at + kStep <= text.size(); at += kStep) {
    if (const unsigned found = controls(text.data() + at); found != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(found));
    }
  }
  // The rest once more together with what lies before it.
  if (at > 0 && at < text.size() && controls(text.data() + text.size() - kStep) == 0) return text.size();
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
  unsigned all = text.empty() ? 0 : 1;  // without a way out in between: names are short and nearly all good
  for (const char c : text) all &= kToken[static_cast<unsigned char>(c)] ? 1U : 0U;
  return all != 0;
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
