// The lines of a head as its bytes come in, and the header field in one of them. Pure; fuzzed.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>

#include "http/failure.h"
#include "http/message.h"

namespace tombolo::http {

inline constexpr std::size_t kHeadMax = 32 * 1024;       // bytes of a whole head, its empty line included
inline constexpr std::size_t kStartLineMax = 16 * 1024;  // bytes of the first line: holds a 2,400-byte name escaped
inline constexpr std::size_t kHeadersMax = 128;          // header fields of one head

template <class T>
using Parsed = std::expected<T, Failure>;

enum class Progress { kMore, kDone };

/// Gives a head's lines one by one. Every byte is looked at once, in order, so that the outcome does not depend on how
/// the bytes were split on their way.
class HeadLines {
 public:
  /// `buffer` holds all bytes since the head's start: it may grow and move between calls, never change. The next
  /// complete line without its CRLF (a view of `buffer`); nullopt when its end has not come. Failures: kBareLineEnd,
  /// kControlByte, kTargetTooLong, kHeadTooLarge.
  Parsed<std::optional<std::string_view>> next(std::string_view buffer);
  /// Bytes of all lines given so far, their ends included.
  std::size_t consumed() const { return line_; }
  /// Lines given so far.
  std::size_t count() const { return lines_; }

 private:
  std::size_t line_ = 0;  // start of the current line
  std::size_t scan_ = 0;  // first byte not yet looked at
  std::size_t lines_ = 0;
};

bool is_token_char(char c);
/// RFC 9110 §5.6.2: what methods and header names are made of.
bool is_token(std::string_view text);
/// No control byte but the tab.
bool is_field_value(std::string_view text);

/// "name: value" with the white space around the value cut. Requires a line of HeadLines. kFoldedHeader,
/// kBadHeaderName.
Parsed<Headers::Field> parse_field(std::string_view line);

/// Takes in the lines of a head as far as they have come: the first goes to `start`, fields into `headers`, and the
/// empty line to `finish`; both give a Parsed<void>.
template <class Start, class Finish>
Parsed<Progress> advance_head(HeadLines& lines, std::string_view buffer, Headers& headers, Start start, Finish finish) {
  while (true) {
    const auto line = lines.next(buffer);
    if (!line) return std::unexpected(line.error());
    if (!*line) return Progress::kMore;
    if (lines.count() == 1) {
      if (const auto taken = start(**line); !taken) return std::unexpected(taken.error());
      continue;
    }
    if ((*line)->empty()) {
      if (const auto finished = finish(); !finished) return std::unexpected(finished.error());
      return Progress::kDone;
    }
    const auto field = parse_field(**line);
    if (!field) return std::unexpected(field.error());
    headers.add(field->name, field->value);
  }
}

}  // namespace tombolo::http
