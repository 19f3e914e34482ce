// Request heads: the same however they were split, nothing accepted that another reader would frame differently, and
// what was understood can be said again.
#include "base/ascii.h"
#include "http/fuzz_heads_test.h"
#include "http/request_parser.h"
#include "http/serialize.h"

namespace tombolo::http {
namespace {

bool same(const RequestHead& a, const RequestHead& b) {
  return a.method == b.method && a.target == b.target && a.version == b.version && a.host == b.host &&
         a.content_length == b.content_length && a.chunked == b.chunked && a.keep_alive == b.keep_alive &&
         a.expect_continue == b.expect_continue && same_fields(a.headers, b.headers);
}

void check_target(const RequestHead& head) {
  ASSERT(!head.target.empty());
  ASSERT(head.target.front() == '/' || (head.target == "*" && head.method == "OPTIONS"));
  for (const char c : head.target) ASSERT(c > 0x20 && c < 0x7F && c != '#');
  ASSERT(head.path().size() + head.query().size() <= head.target.size());
}

void check_framing(const RequestHead& head) {
  const Headers& headers = head.headers;
  ASSERT(headers.count("Content-Length") == (head.content_length ? 1 : 0));
  ASSERT(head.chunked == headers.has("Transfer-Encoding"));
  ASSERT(!head.chunked || (!head.content_length && head.version == Version::kHttp11));
  ASSERT(headers.count("Host") <= 1 && (head.version == Version::kHttp10 || !head.host.empty()));
  ASSERT(is_token(head.method) && head.method != "TRACE" && head.method != "CONNECT");
  if (head.method == "PUT" || head.method == "POST") ASSERT(head.chunked || head.content_length);
}

// Rendered as a request of our own it reads the same, but for what belongs to the connection.
void check_rendered(const RequestHead& head) {
  if (head.host.empty()) return;
  const auto rendered = render(head.headers, {.method = head.method,
                                              .target = head.target,
                                              .host = head.host,
                                              .content_length = head.content_length.value_or(0)});
  ASSERT(rendered.ok());
  if (rendered->size() > kHeadMax || head.headers.size() + 2 > kHeadersMax) return;  // it grew by what we add
  auto [parser, progress] = take_whole(RequestParser(), *rendered);
  if (!progress && progress.error() == Failure::kTargetTooLong) return;
  ASSERT(progress && *progress == Progress::kDone && parser.head_size() == rendered->size());
  const RequestHead again = parser.take();
  ASSERT(again.method == head.method && again.target == head.target && again.host == head.host);
  ASSERT(again.content_length == head.content_length.value_or(0) && !again.chunked);
  ASSERT(same_fields(head.headers, again.headers, [](std::string_view name) {
    return equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Content-Length") ||
           equal_ignoring_case(name, "Transfer-Encoding") || equal_ignoring_case(name, "Host");
  }));
}

}  // namespace

FUZZ(http_request) {
  const std::string_view bytes = as_text(input);
  auto [parser, progress] = take_whole(RequestParser(), bytes);
  auto [other, in_steps] = take_in_steps(RequestParser(), bytes, step_of(bytes));
  ASSERT(progress == in_steps && parser.head_size() == other.head_size() && parser.is_head() == other.is_head());
  if (!progress) return;
  if (*progress == Progress::kMore) {
    ASSERT(bytes.find("\r\n\r\n") == std::string_view::npos && bytes.size() <= kHeadMax);
    return;
  }
  const std::string_view text = bytes.substr(0, parser.head_size());
  const RequestHead head = parser.take();
  ASSERT(same(head, other.take()));
  const std::string_view first = check_lines(text, head.headers);
  ASSERT(first.starts_with(head.method + " "));
  ASSERT(first.ends_with(head.version == Version::kHttp11 ? " HTTP/1.1" : " HTTP/1.0"));
  check_target(head);
  check_framing(head);
  check_rendered(head);
}

}  // namespace tombolo::http
