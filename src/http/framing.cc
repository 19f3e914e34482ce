#include "http/framing.h"

#include <charconv>

#include "base/ascii.h"

namespace tombolo::http {
namespace {

// Calls `each` with the elements of a comma-separated list, blanks around them cut; empty elements included.
template <class Each>
void for_each_element(std::string_view list, Each each) {
  while (true) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view element = list.substr(0, end);
    while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) element.remove_prefix(1);
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) element.remove_suffix(1);
    each(element);
    if (end == list.size()) return;
    list.remove_prefix(end + 1);
  }
}

Parsed<std::uint64_t> parse_length(std::string_view text) {
  // from_chars takes no sign, blank or prefix for an unsigned type, and knows overflow.
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 10);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::unexpected(Failure::kBadContentLength);
  }
  return value;
}

// All Transfer-Encoding fields together are one list.
Parsed<void> judge_transfer_encoding(const Headers& headers) {
  bool chunked = false, behind_chunked = false, unknown = false, empty = false;
  for (const auto field : headers) {
    if (!equal_ignoring_case(field.name, "Transfer-Encoding")) continue;
    for_each_element(field.value, [&](std::string_view coding) {
      behind_chunked |= chunked;
      if (coding.empty()) {
        empty = true;
      } else if (equal_ignoring_case(coding, "chunked")) {
        chunked = true;
      } else {
        unknown = true;
      }
    });
  }
  if (behind_chunked || empty) return std::unexpected(Failure::kBadTransferEncoding);
  if (unknown) return std::unexpected(Failure::kUnknownTransferCoding);
  return {};
}

}  // namespace

Parsed<Framing> judge_framing(const Headers& headers, Version version) {
  const std::size_t lengths = headers.count("Content-Length");
  const bool encoded = headers.has("Transfer-Encoding");
  if (encoded && version == Version::kHttp10) return std::unexpected(Failure::kTransferEncodingHttp10);
  if (encoded && lengths > 0) return std::unexpected(Failure::kLengthAndChunked);
  if (lengths > 1) return std::unexpected(Failure::kBadContentLength);
  Framing framing;
  if (encoded) {
    if (const auto judged = judge_transfer_encoding(headers); !judged) return std::unexpected(judged.error());
    framing.chunked = true;
  }
  if (lengths == 1) {
    const auto length = parse_length(*headers.get("Content-Length"));
    if (!length) return std::unexpected(length.error());
    framing.content_length = *length;
  }
  return framing;
}

bool judge_keep_alive(const Headers& headers, Version version) {
  bool close = false, keep = false;
  for (const auto field : headers) {
    if (!equal_ignoring_case(field.name, "Connection")) continue;
    for_each_element(field.value, [&](std::string_view token) {
      close |= equal_ignoring_case(token, "close");
      keep |= equal_ignoring_case(token, "keep-alive");
    });
  }
  return !close && (version == Version::kHttp11 || keep);
}

Parsed<Version> parse_version(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text == "HTTP/1.1") return Version::kHttp11;
  if (text == "HTTP/1.0") return Version::kHttp10;
  const bool well_formed =
      text.size() == 8 && text.starts_with("HTTP/") && digit(text[5]) && text[6] == '.' && digit(text[7]);
  return std::unexpected(well_formed ? Failure::kBadVersion : Failure::kBadStartLine);
}

}  // namespace tombolo::http
