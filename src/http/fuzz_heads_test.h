// What the fuzz targets of request and response heads share. Included by them only.
#pragma once

#include <algorithm>
#include <string_view>

#include "http/head_lines.h"
#include "testing/fuzz.h"

namespace tombolo::http {

inline constexpr std::size_t kCopiedStepsMax = 32;  // pieces that are handed over in a buffer of their own

/// How a parser took some bytes.
template <class Parser>
struct Taken {
  Parser parser;
  Parsed<Progress> progress;
};

/// Every second input goes byte by byte, the others in steps of any size.
inline std::size_t step_of(std::string_view bytes) {
  const std::uint64_t hash = fuzz::hash_of(bytes);
  return (hash & 1) != 0 ? 1 : 2 + hash / 2 % 61;
}

/// All bytes at once, in a buffer of their own.
template <class Parser>
Taken<Parser> take_whole(Parser parser, std::string_view bytes) {
  const fuzz::Exact copy(bytes);
  const auto progress = parser.advance(copy.text());
  return {std::move(parser), progress};
}

/// In steps of `step` bytes. The buffer moves every time while there are few steps: a parser must keep no view of it,
/// and must not look behind its end.
template <class Parser>
Taken<Parser> take_in_steps(Parser parser, std::string_view bytes, std::size_t step) {
  const bool moves = bytes.size() / step <= kCopiedStepsMax;
  for (std::size_t have = std::min(step, bytes.size());; have = std::min(have + step, bytes.size())) {
    const fuzz::Exact copy(moves ? bytes.substr(0, have) : std::string_view());
    const auto progress = parser.advance(moves ? copy.text() : bytes.substr(0, have));
    if (!progress || *progress == Progress::kDone || have == bytes.size()) return {std::move(parser), progress};
  }
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// What no accepted head may contain, and that `headers` are its lines, as a reader would find them who knows nothing
/// but that lines end in CRLF. Gives the first line.
inline std::string_view check_lines(std::string_view head, const Headers& headers) {
  ASSERT(head.size() <= kHeadMax && head.ends_with("\r\n\r\n"));
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto byte = static_cast<unsigned char>(head[i]);
    if (head[i] == '\r') {
      ASSERT(head[i + 1] == '\n');
    } else if (head[i] == '\n') {
      ASSERT(head[i - 1] == '\r');
    } else {
      ASSERT(byte == '\t' || (byte >= 0x20 && byte != 0x7F));
    }
  }
  const std::size_t end = head.find("\r\n");
  const std::string_view first = head.substr(0, end);
  ASSERT(!first.empty() && first.size() <= kStartLineMax && headers.size() <= kHeadersMax);
  std::string_view rest = head.substr(end + 2);
  for (const auto field : headers) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(':');
    ASSERT(colon != std::string_view::npos && line.substr(0, colon) == field.name && is_token(field.name));
    ASSERT(trimmed(line.substr(colon + 1)) == field.value && is_field_value(field.value));
  }
  ASSERT(rest == "\r\n");
  return first;
}

/// The same fields in the same order, but for those whose names `dropped` says.
template <class Dropped>
bool same_fields(const Headers& a, const Headers& b, Dropped dropped) {
  auto one = a.begin();
  auto other = b.begin();
  while (true) {
    while (one != a.end() && dropped((*one).name)) ++one;
    while (other != b.end() && dropped((*other).name)) ++other;
    if (one == a.end() || other == b.end()) return one == a.end() && other == b.end();
    if ((*one).name != (*other).name || (*one).value != (*other).value) return false;
    ++one;
    ++other;
  }
}

inline bool same_fields(const Headers& a, const Headers& b) {
  return same_fields(a, b, [](std::string_view) { return false; });
}

}  // namespace tombolo::http
