// RequestParser: the head of a request from its bytes. Pure; fuzzed.
#pragma once

#include "http/head_lines.h"

namespace tombolo::http {

/// One head each. Outcomes do not depend on how the bytes were split.
class RequestParser {
 public:
  /// `buffer`: all bytes since the head's start, more in each call. After kDone or a failure it is not called again.
  Parsed<Progress> advance(std::string_view buffer);
  /// After kDone: bytes of the head; the body starts behind them.
  std::size_t head_size() const { return lines_.consumed(); }
  /// After kDone, once.
  RequestHead take() { return std::move(head_); }
  /// HEAD, as far as known: answers to it have no body, refusals too.
  bool is_head() const { return head_.method == "HEAD"; }

 private:
  Parsed<void> take_request_line(std::string_view line);
  Parsed<void> take_target(std::string_view target);
  Parsed<void> finish();

  HeadLines lines_;
  RequestHead head_;
  std::string authority_;          // of a target in absolute form
  std::string_view default_port_;  // of its scheme
};

}  // namespace tombolo::http
