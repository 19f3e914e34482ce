// Where a message's body ends and whether the connection goes on: the rules that requests and responses share. Pure.
#pragma once

#include "http/head_lines.h"

namespace tombolo::http {

struct Framing {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
};

/// RFC 9112 §6, and stricter: one Content-Length at most, in plain digits; exactly one `chunked` at most; never both;
/// no Transfer-Encoding in HTTP/1.0.
Parsed<Framing> judge_framing(const Headers& headers, Version version);

/// By the tokens of Connection: "close" wins; HTTP/1.0 must ask for keep-alive.
bool judge_keep_alive(const Headers& headers, Version version);

/// The version at the start or end of a first line: kBadVersion for well-formed others, kBadStartLine for the rest.
Parsed<Version> parse_version(std::string_view text);

}  // namespace tombolo::http
