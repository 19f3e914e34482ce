// ResponseParser: the head of a response from its bytes, and where its body ends. Pure; fuzzed.
#pragma once

#include "http/head_lines.h"

namespace tombolo::http {

/// One head each, interim (1xx) heads included. Outcomes do not depend on how the bytes were split.
class ResponseParser {
 public:
  /// `request_method` decides whether a body may follow.
  explicit ResponseParser(std::string_view request_method) : to_head_(request_method == "HEAD") {}

  /// As RequestParser::advance. A final response that may have a body must say how long it is or be chunked
  /// (kNoFraming): a body that ends with the connection cannot be told from a cut one.
  Parsed<Progress> advance(std::string_view buffer);
  std::size_t head_size() const { return lines_.consumed(); }
  ResponseHead take() { return std::move(head_); }

  // After kDone.
  bool interim() const { return head_.status < 200; }
  bool keep_alive() const { return keep_alive_; }
  bool chunked() const { return chunked_; }
  /// What follows on the wire when not chunked.
  std::uint64_t body_size() const { return body_size_; }
  /// What Content-Length said, also to HEAD.
  std::optional<std::uint64_t> content_length() const { return content_length_; }

 private:
  Parsed<void> take_status_line(std::string_view line);
  Parsed<void> finish();

  HeadLines lines_;
  ResponseHead head_;
  bool to_head_;
  Version version_ = Version::kHttp11;
  bool keep_alive_ = false;
  bool chunked_ = false;
  std::uint64_t body_size_ = 0;
  std::optional<std::uint64_t> content_length_;
};

}  // namespace tombolo::http
