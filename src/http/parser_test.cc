#include <gtest/gtest.h>

#include "http/framing_test_cases.h"
#include "http/request_parser.h"
#include "http/response_parser.h"
#include "http/serialize.h"

namespace tombolo::http {

namespace {

// Feeds `bytes` in pieces cut at `cuts`-sized steps; the outcome and, when done, the head's size.
template <class Parser>
Parsed<Progress> feed(Parser& parser, std::string_view bytes, std::size_t first, std::size_t step) {
  for (std::size_t have = std::min(first, bytes.size());; have = std::min(have + step, bytes.size())) {
    // A fresh copy each time: the buffer may move.
    const std::string buffer(bytes.substr(0, have));
    const auto progress = parser.advance(buffer);
    if (!progress || *progress == Progress::kDone || have == bytes.size()) return progress;
  }
}

Parsed<Progress> parse_request(std::string_view bytes, std::size_t first, std::size_t step) {
  RequestParser parser;
  return feed(parser, bytes, first, step);
}

class BadRequest : public testing::TestWithParam<BadHead> {};

TEST_P(BadRequest, IsRefusedHoweverItsBytesAreSplit) {
  const BadHead& bad = GetParam();
  EXPECT_EQ(info(bad.failure).status, bad.status);
  const auto check = [&](std::size_t first, std::size_t step) {
    const auto parsed = parse_request(bad.bytes, first, step);
    ASSERT_FALSE(parsed.has_value()) << first << " " << step;
    ASSERT_EQ(parsed.error(), bad.failure) << first << " " << step;
  };
  check(bad.bytes.size(), 1);
  // Copies of long heads at each position would take minutes.
  const std::size_t step = bad.bytes.size() > 1'000 ? 997 : 1;
  check(0, step);
  for (std::size_t cut = 1; cut < bad.bytes.size(); cut += step) check(cut, bad.bytes.size());
}

INSTANTIATE_TEST_SUITE_P(Framing, BadRequest, testing::ValuesIn(bad_requests()),
                         [](const auto& one) { return one.param.name; });

RequestHead good(std::string_view bytes, std::size_t step) {
  RequestParser parser;
  const auto parsed = feed(parser, bytes, step, step);
  EXPECT_TRUE(parsed.has_value()) << bytes;
  EXPECT_TRUE(parsed.has_value() && *parsed == Progress::kDone) << bytes;
  EXPECT_EQ(bytes.substr(parser.head_size()), "rest") << bytes;
  return parser.take();
}

TEST(RequestParser, TakesWhatClientsSend) {
  const std::string bytes =
      "PUT /dev/c/a%20b?comp=block&blockid=QQ%3D%3D HTTP/1.1\r\nHost: 127.0.0.1:10000\r\nUser-Agent: x\r\n"
      "Content-Length: 00018\r\nx-ms-meta-CamelCase:  two words \t\r\nx-empty:\r\nx-latin: \xE9\r\n"
      "Expect: 100-Continue\r\nConnection: foo, Close\r\n\r\nrest";
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    const RequestHead head = good(bytes, step);
    EXPECT_EQ(head.method, "PUT");
    EXPECT_EQ(head.target, "/dev/c/a%20b?comp=block&blockid=QQ%3D%3D");
    EXPECT_EQ(head.host, "127.0.0.1:10000");
    EXPECT_EQ(head.content_length, 18u);
    EXPECT_EQ(head.headers[3].name, "x-ms-meta-CamelCase");
    EXPECT_EQ(head.headers[3].value, "two words");
    EXPECT_EQ(head.headers.get("x-empty"), "");
    EXPECT_EQ(head.headers.get("x-latin"), "\xE9");
    EXPECT_TRUE(head.expect_continue);
    EXPECT_FALSE(head.keep_alive);
    EXPECT_FALSE(head.chunked);
  }
}

TEST(RequestParser, ReducesAbsoluteTargets) {
  EXPECT_EQ(good("GET http://H:80/x?y HTTP/1.1\r\nHost: h\r\n\r\nrest", 1).target, "/x?y");
  EXPECT_EQ(good("GET http://h HTTP/1.1\r\nHost: h\r\n\r\nrest", 1).target, "/");
  EXPECT_EQ(good("GET http://h?q HTTP/1.1\r\nHost: h:80\r\n\r\nrest", 1).target, "/?q");
  EXPECT_EQ(good("GET http://[::1]:8/ HTTP/1.1\r\nHost: [::1]:8\r\n\r\nrest", 1).host, "[::1]:8");
  EXPECT_EQ(good("GET //double//slash HTTP/1.1\r\nHost: h\r\n\r\nrest", 1).path(), "//double//slash");
  EXPECT_EQ(good("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\nrest", 1).target, "*");
}

TEST(RequestParser, JudgesTheLifeOfTheConnection) {
  EXPECT_TRUE(good("GET / HTTP/1.1\r\nHost: h\r\n\r\nrest", 1).keep_alive);
  EXPECT_FALSE(good("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nrest", 1).keep_alive);
  EXPECT_FALSE(good("GET / HTTP/1.0\r\n\r\nrest", 1).keep_alive);
  EXPECT_TRUE(good("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nrest", 1).keep_alive);
}

TEST(RequestParser, IgnoresUnknownExpectations) {  // case 20
  EXPECT_FALSE(good("GET / HTTP/1.1\r\nHost: h\r\nExpect: the-moon\r\n\r\nrest", 1).expect_continue);
  EXPECT_TRUE(good("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\nrest", 1).chunked);
}

TEST(RequestParser, TakesAsMuchAsItsLimitsAllow) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (std::size_t i = 0; i < kHeadersMax - 1; ++i) bytes += "X: y\r\n";
  EXPECT_EQ(good(bytes + "\r\nrest", bytes.size() + 6).headers.size(), kHeadersMax);
  const std::string empty = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n";
  const std::string full =
      "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(kHeadMax - empty.size(), 'a') + "\r\n\r\nrest";
  EXPECT_EQ(good(full, full.size()).headers.size(), 2u);
}

struct BadAnswer {
  std::string bytes;
  Failure failure;
};

TEST(ResponseParser, RefusesWhatCannotBeFramed) {
  using F = Failure;
  const std::vector<BadAnswer> cases = {
      {"HTTP/1.1 200 OK\r\n\r\n", F::kNoFraming},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", F::kLengthAndChunked},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", F::kBadContentLength},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", F::kUnknownTransferCoding},
      {"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n", F::kBareLineEnd},
      {"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", F::kNoFraming},
      {"HTTP/1.1 101 Up\r\n\r\n", F::kBadStatus},
      {"HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n", F::kBadStatus},
      {"HTTP/1.1 20 OK\r\n\r\n", F::kBadStartLine},
      {"HTTP/1.1 2000 OK\r\n\r\n", F::kBadStartLine},
      {"HTTP/2.0 200 OK\r\n\r\n", F::kBadVersion},
      {"SSH-2.0-OpenSSH_9.2\r\n", F::kBadStartLine},
      {"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", F::kFoldedHeader},
  };
  for (const auto& [bytes, failure] : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, bytes.size()}) {
      ResponseParser parser("GET");
      const auto parsed = feed(parser, bytes, step, step);
      ASSERT_FALSE(parsed.has_value()) << bytes;
      EXPECT_EQ(parsed.error(), failure) << bytes;
    }
  }
}

TEST(ResponseParser, TellsWhereTheBodyEnds) {
  const auto parse = [](std::string_view method, std::string_view bytes) {
    ResponseParser parser(method);
    const auto parsed = feed(parser, bytes, 1, 1);
    EXPECT_TRUE(parsed.has_value() && *parsed == Progress::kDone) << bytes;
    EXPECT_EQ(parser.head_size(), bytes.size());
    return parser;
  };
  EXPECT_EQ(parse("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").body_size(), 5u);
  EXPECT_EQ(parse("HEAD", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n").body_size(), 0u);
  EXPECT_EQ(parse("HEAD", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n").content_length(), 5u);
  EXPECT_EQ(parse("GET", "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n").body_size(), 0u);
  EXPECT_EQ(parse("GET", "HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n").body_size(), 0u);
  EXPECT_TRUE(parse("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").chunked());
  EXPECT_TRUE(parse("GET", "HTTP/1.1 100 Continue\r\n\r\n").interim());
  EXPECT_FALSE(parse("GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive());
}

TEST(Render, DropsWhatBelongsToTheConnection) {
  ResponseHead head{.status = 206};
  head.headers.add("content-length", "99");
  head.headers.add("ETag", "\"0x8\"");
  head.headers.add("Transfer-Encoding", "chunked");
  EXPECT_EQ(*render(head, {.date = "D", .content_length = 5, .close = true}),
            "HTTP/1.1 206 Partial Content\r\nServer: tombolo\r\nDate: D\r\nContent-Length: 5\r\nConnection: close\r\n"
            "ETag: \"0x8\"\r\n\r\n");
}

TEST(Render, RefusesBytesThatWouldSplitTheMessage) {
  for (const char* value : {"a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\x01"}) {
    ResponseHead head;
    head.headers.add("x-ms-meta-a", value);
    EXPECT_EQ(render(head, {.date = "D", .content_length = 0}).error().code, Code::kInternal);
    EXPECT_EQ(render(head.headers, {.method = "GET", .target = "/", .host = "h", .content_length = {}}).error().code,
              Code::kInvalid);
  }
  for (const char* target : {"/a b", "/a\r\nX: y", ""}) {
    EXPECT_FALSE(render(Headers(), {.method = "GET", .target = target, .host = "h", .content_length = {}}).ok());
  }
  EXPECT_EQ(*render(Headers(), {.method = "PUT", .target = "/a", .host = "h:1", .content_length = 0}),
            "PUT /a HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n\r\n");
}

}  // namespace
}  // namespace tombolo::http
