// Response heads, as answers to GET and to HEAD.
#include "base/ascii.h"
#include "http/fuzz_heads_test.h"
#include "http/response_parser.h"
#include "http/serialize.h"

namespace tombolo::http {
namespace {

bool same(const ResponseHead& a, const ResponseHead& b) {
  return a.status == b.status && a.reason == b.reason && same_fields(a.headers, b.headers);
}

void check_body(const ResponseParser& parser, const ResponseHead& head, std::string_view method) {
  ASSERT(head.status >= 100 && head.status <= 599 && head.status != 101);
  ASSERT(parser.interim() == (head.status < 200));
  ASSERT(!parser.chunked() || parser.body_size() == 0);
  ASSERT(head.headers.count("Content-Length") == (parser.content_length() ? 1 : 0));
  const bool bodiless = method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304;
  if (bodiless) {
    ASSERT(!parser.chunked() && parser.body_size() == 0);
  } else {
    ASSERT(parser.chunked() == head.headers.has("Transfer-Encoding"));
    ASSERT(parser.chunked() || parser.content_length() == parser.body_size());
  }
}

// Rendered by our server it reads the same, but for what the server says of its own accord.
void check_rendered(const ResponseHead& head, std::uint64_t body_size) {
  const bool bodiless = head.status < 200 || head.status == 204;
  const auto length = bodiless ? std::optional<std::uint64_t>() : body_size;
  const auto rendered = render(head, {.date = "d", .content_length = length});
  ASSERT(rendered.ok());
  if (rendered->size() > kHeadMax || head.headers.size() + 3 > kHeadersMax) return;  // it grew by what we add
  auto [parser, progress] = take_whole(ResponseParser("GET"), *rendered);
  if (!progress && progress.error() == Failure::kTargetTooLong) return;
  ASSERT(progress && *progress == Progress::kDone && parser.head_size() == rendered->size());
  const ResponseHead again = parser.take();
  ASSERT(again.status == head.status);
  ASSERT(again.reason == (head.reason.empty() ? reason_phrase(head.status) : head.reason));
  ASSERT(same_fields(head.headers, again.headers, [](std::string_view name) {
    return equal_ignoring_case(name, "Date") || equal_ignoring_case(name, "Server") ||
           equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Content-Length") ||
           equal_ignoring_case(name, "Transfer-Encoding");
  }));
}

void take(std::string_view bytes, std::string_view method) {
  auto [parser, progress] = take_whole(ResponseParser(method), bytes);
  auto [other, in_steps] = take_in_steps(ResponseParser(method), bytes, step_of(bytes));
  ASSERT(progress == in_steps && parser.head_size() == other.head_size());
  if (!progress) return;
  if (*progress == Progress::kMore) {
    ASSERT(bytes.find("\r\n\r\n") == std::string_view::npos && bytes.size() <= kHeadMax);
    return;
  }
  ASSERT(parser.keep_alive() == other.keep_alive() && parser.chunked() == other.chunked());
  ASSERT(parser.body_size() == other.body_size() && parser.content_length() == other.content_length());
  const ResponseParser done = parser;
  const ResponseHead head = parser.take();
  ASSERT(same(head, other.take()));
  const std::string_view first = check_lines(bytes.substr(0, done.head_size()), head.headers);
  ASSERT(first.starts_with("HTTP/1.") && first.ends_with(head.reason));
  check_body(done, head, method);
  check_rendered(head, done.body_size());
}

}  // namespace

FUZZ(http_response) {
  take(as_text(input), "GET");
  take(as_text(input), "HEAD");
}

}  // namespace tombolo::http
