#include "http/response_parser.h"

#include <algorithm>

#include "http/framing.h"

namespace tombolo::http {

Parsed<Progress> ResponseParser::advance(std::string_view buffer) {
  return advance_head(
      lines_, buffer, head_.headers, [this](std::string_view line) { return take_status_line(line); },
      [this] { return finish(); });
}

Parsed<void> ResponseParser::take_status_line(std::string_view line) {
  // "HTTP/1.1 200 OK"; some servers leave out the reason and its blank.
  const bool spaced = line.size() >= 12 && line[8] == ' ' && (line.size() == 12 || line[12] == ' ');
  if (!spaced) return std::unexpected(Failure::kBadStartLine);
  const auto version = parse_version(line.substr(0, 8));
  if (!version) return std::unexpected(version.error());
  version_ = *version;
  int status = 0;
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return std::unexpected(Failure::kBadStartLine);
    status = status * 10 + (c - '0');
  }
  // 101 would hand the connection to another protocol that nobody asked for.
  if (status < 100 || status > 599 || status == 101) return std::unexpected(Failure::kBadStatus);
  head_.status = status;
  head_.reason = line.substr(std::min<std::size_t>(13, line.size()));
  return {};
}

Parsed<void> ResponseParser::finish() {
  const auto framing = judge_framing(head_.headers, version_);
  if (!framing) return std::unexpected(framing.error());
  keep_alive_ = judge_keep_alive(head_.headers, version_);
  content_length_ = framing->content_length;
  const bool bodiless = head_.status < 200 || head_.status == 204 || head_.status == 304;
  if (to_head_ || bodiless) {
    // To HEAD and in 304 the length tells of a body elsewhere; in 1xx and 204 it would be a lie.
    const bool lie = head_.status != 304 && bodiless && (framing->chunked || content_length_.value_or(0) > 0);
    if (lie) return std::unexpected(Failure::kNoFraming);
    return {};
  }
  if (!framing->chunked && !content_length_) return std::unexpected(Failure::kNoFraming);
  chunked_ = framing->chunked;
  body_size_ = content_length_.value_or(0);
  return {};
}

}  // namespace tombolo::http
