#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "async/sleep.h"
#include "http/framing_test_cases.h"
#include "http/server_test_support.h"

namespace tombolo::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// `size` bytes of 'x' in blocks of `step`, then the end or an error.
class PatternSource final : public ByteSource {
 public:
  PatternSource(std::uint64_t size, std::size_t step, bool fails) : left_(size), step_(step), fails_(fails) {}
  Task<Block> next() override {
    if (left_ == 0 && fails_) co_return Error{Code::kCorrupt, "a granule does not verify"};
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, step_));
    left_ -= n;
    co_return Block(Bytes(n, std::byte{'x'}));
  }

 private:
  std::uint64_t left_;
  const std::size_t step_;
  const bool fails_;
};

class Routes final : public Handler {
 public:
  std::atomic<int> calls{0};
  std::atomic<int> bodies{0};  // read whole

  Task<void> handle(Exchange& exchange) override {
    ++calls;
    const std::string_view path = exchange.head().path();
    if (path == "/echo") co_return co_await echo(exchange);
    if (path == "/early") co_return co_await say(exchange, 403, "no");
    if (path == "/throw") throw std::runtime_error("boom");
    if (path == "/silent") co_return Result<void>{};
    if (path == "/error") co_return Error{Code::kCorrupt, "a row is torn"};
    if (path == "/empty") co_return co_await say(exchange, 204, "");
    if (path == "/size") {
      ResponseHead head;
      co_return co_await exchange.respond_head_only(std::move(head), 123'456'789'012);
    }
    if (path == "/split") co_return co_await split(exchange);
    if (path == "/slow") {
      CO_TRY(sleep_for(300ms));
      co_return co_await say(exchange, 200, "slow");
    }
    co_return co_await stream(exchange, path);
  }
  Refusal refuse(Failure failure) override {
    Refusal refusal = plain_refusal(failure);
    refusal.head.headers.add("x-failure", info(failure).name);
    return refusal;
  }

 private:
  static Task<void> say(Exchange& exchange, int status, std::string text) {
    ResponseHead head{.status = status};
    co_return co_await exchange.respond(std::move(head), Block(to_bytes(text)));
  }

  Task<void> echo(Exchange& exchange) {
    auto body = co_await read_all(exchange.body(), 64 * kMiB);
    ResponseHead head;
    if (!body.ok()) {
      head.status = 400;
      head.headers.add("x-failure", body.error().detail);
      co_return co_await exchange.respond(std::move(head), Block());
    }
    ++bodies;
    co_return co_await exchange.respond(std::move(head), Block(*std::move(body)));
  }
  Task<void> split(Exchange& exchange) {
    ResponseHead head;
    head.headers.add("x-ms-meta-a", "b\r\nx-evil: 1");
    auto refused = co_await exchange.respond(std::move(head), Block());
    EXPECT_EQ(refused.error().code, Code::kInternal);
    EXPECT_FALSE(exchange.responded());
    co_return co_await say(exchange, 400, "bad metadata");
  }
  Task<void> stream(Exchange& exchange, std::string_view path) {
    const std::uint64_t size = 1'000'000;
    PatternSource source(path == "/short"   ? size - 1
                         : path == "/extra" ? size + 1
                         : path == "/cold"  ? 0
                                            : size,
                         100'000, path == "/fail" || path == "/cold");
    ResponseHead head;
    auto streamed = co_await exchange.respond(std::move(head), source, size);
    if (!streamed.ok() && !exchange.responded()) {
      co_return co_await say(exchange, 503, streamed.error().message);
    }
    co_return streamed;
  }
};

class ServerTest : public testing::Test {
 protected:
  void start(ServerConfig config = {}) {
    server_ = std::make_unique<Server>(std::move(config), loops_.executors(), routes_, clock_);
    ASSERT_TRUE(server_->start().ok());
  }
  void stop() {
    if (!server_) return;
    EXPECT_TRUE(run_to_end(server_->stop()).ok());
    server_.reset();
  }
  ~ServerTest() override { stop(); }

  RawSocket connect() { return RawSocket::connect(server_->port()); }

  /// Sends `bytes` on a fresh connection and gives all that comes until the server closes in good order.
  std::string talk(std::string_view bytes) {
    RawSocket socket = connect();
    socket.send(bytes);
    std::string answer;
    EXPECT_EQ(socket.read_to_end(answer), RawSocket::End::kOrderly) << answer;
    return answer;
  }

  ManualClock clock_{WallTime{784'111'777'000'000}};  // Sun, 06 Nov 1994 08:49:37 GMT
  Routes routes_;
  Loops loops_{2};
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, RefusesEveryBadHeadWithoutCallingTheHandler) {
  start();
  for (const BadHead& bad : bad_requests()) {
    const std::string answer = talk(bad.bytes);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(bad.status) + " ")) << bad.name;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << bad.name;
    EXPECT_THAT(answer, HasSubstr("x-failure: " + std::string(info(bad.failure).name) + "\r\n")) << bad.name;
  }
  EXPECT_EQ(routes_.calls, 0);
}

TEST_F(ServerTest, AnswersAndNamesItself) {
  start();
  EXPECT_EQ(talk("GET /early HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 403 Forbidden\r\nServer: tombolo\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Length: 2\r\nConnection: close\r\n\r\nno");
  EXPECT_THAT(talk("GET /early HTTP/1.0\r\n\r\n"), EndsWith("Connection: close\r\n\r\nno"));
}

TEST_F(ServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  start();
  RawSocket socket = connect();
  socket.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"
      "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nth\r\n3\r\nree\r\n0\r\nx-t: 1\r\n\r\n"
      "HEAD /early HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\none"));
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\nslow"));
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\nthree"));
  EXPECT_THAT(socket.read_answer(true), EndsWith("Content-Length: 2\r\n\r\n"));
  const std::string empty = socket.read_answer();
  EXPECT_THAT(empty, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(empty, Not(HasSubstr("Content-Length")));
  EXPECT_EQ(routes_.calls, 5);
}

TEST_F(ServerTest, TakesRequestsByteByByte) {
  start();
  RawSocket socket = connect();
  for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"))
    socket.send({&c, 1});
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\none"));
  for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "3;a=b\r\ntwo\r\n0\r\n\r\n")) {
    socket.send({&c, 1});
  }
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\ntwo"));
}

TEST_F(ServerTest, MovesLargeBodiesBothWays) {
  start();
  std::string body(5'000'001, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2'654'435'761u >> 13);
  RawSocket socket = connect();
  std::thread sender([&] {
    socket.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    std::string chunked = "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    for (std::size_t at = 0, n = 1; at < body.size(); at += n, n = (n * 3) % 700'001 + 1) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", std::min(n, body.size() - at));
      chunked += size + body.substr(at, n) + "\r\n";
    }
    socket.send(chunked + "0\r\n\r\n");
  });
  const std::string first = socket.read_answer(), second = socket.read_answer();
  sender.join();
  EXPECT_TRUE(first.ends_with("\r\n\r\n" + body));
  EXPECT_TRUE(second.ends_with("\r\n\r\n" + body));
}

TEST_F(ServerTest, AsksForTheBodyOnlyWhenTheHandlerReadsIt) {
  start();
  RawSocket socket = connect();
  const std::string expects = " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
  socket.send("PUT /echo" + expects);
  EXPECT_EQ(socket.read_answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("one");
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\none"));
  socket.send("PUT /echo" + expects + "two");  // it does not wait: no need to ask
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\ntwo"));
  socket.send("PUT /early" + expects);
  std::string refused;
  EXPECT_EQ(socket.read_to_end(refused), RawSocket::End::kOrderly);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(refused, HasSubstr("Connection: close"));
}

TEST_F(ServerTest, IgnoresUnknownExpectations) {  // case 20
  start();
  EXPECT_THAT(talk("PUT /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: moon\r\nContent-Length: 1\r\n\r\nx"),
              EndsWith("\r\n\r\nx"));
}

TEST_F(ServerTest, ReadsTheBodyBeforeAnEarlyAnswer) {
  start();
  RawSocket socket = connect();
  // More than socket buffers hold: a client that only sends would block if the server did not read.
  EXPECT_TRUE(socket.send("PUT /early HTTP/1.1\r\nHost: h\r\nContent-Length: 33554432\r\n\r\n"));
  EXPECT_TRUE(socket.send(std::string(33'554'432, 'x')));
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\nno"));
  socket.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(socket.read_answer(), EndsWith("slow"));
}

TEST_F(ServerTest, ClosesAfterTheAnswerWhereDrainingWouldCostTooMuch) {
  start({.drain_bytes_max = 1'000});
  const std::string head = "PUT /early HTTP/1.1\r\nHost: h\r\n";
  EXPECT_THAT(talk(head + "Content-Length: 1001\r\n\r\n"), EndsWith("Connection: close\r\n\r\nno"));
  EXPECT_THAT(talk(head + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1'001, 'x') + "\r\n0\r\n\r\n"),
              EndsWith("Connection: close\r\n\r\nno"));
}

TEST_F(ServerTest, TellsTheHandlerOfBadBodies) {
  start();
  const std::string head = "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"10000000000000000\r\n", "bad_chunk"},  // case 6
      {"-1\r\n", "bad_chunk"},
      {"0x1\r\na\r\n0\r\n\r\n", "bad_chunk"},
      {"1\na\r\n0\r\n\r\n", "bad_chunk"},                                           // case 7
      {"1;" + std::string(65'536, 'e') + "\r\na\r\n0\r\n\r\n", "chunk_extension"},  // case 8
      {"1\r\na\r\n0\r\nAuthorization: x\r\n\r\n", "bad_trailer"},                   // case 14
      {"1\r\na\r\n0\r\nHost: x\r\n\r\n", "bad_trailer"},
      {"1\r\na\r\n0\r\nContent-Length: 1\r\n\r\n", "bad_trailer"},
  };
  for (const auto& [body, failure] : cases) {
    const std::string answer = talk(head + body);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << body;
    EXPECT_THAT(answer, HasSubstr("x-failure: " + failure)) << body;
    EXPECT_THAT(answer, HasSubstr("Connection: close")) << body;
  }
  EXPECT_EQ(routes_.bodies, 0);
}

TEST_F(ServerTest, TellsTheHandlerOfBodiesThatEndEarly) {  // case 17
  start();
  for (const std::string body : {"Content-Length: 10\r\n\r\n123", "Transfer-Encoding: chunked\r\n\r\n5\r\n123"}) {
    RawSocket socket = connect();
    socket.send("PUT /echo HTTP/1.1\r\nHost: h\r\n" + body);
    socket.end_sending();
    std::string answer;
    EXPECT_EQ(socket.read_to_end(answer), RawSocket::End::kOrderly);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(answer, HasSubstr("x-failure: body_incomplete"));
  }
  EXPECT_EQ(routes_.bodies, 0);
}

TEST_F(ServerTest, GivesUpOnStalledHeadsAndBodies) {  // case 16
  start({.head_time_max = 200ms, .body_stall_max = 100ms, .keep_alive_max = 50ms});
  const std::string head = talk("GET /echo HTTP/1.1\r\nHos");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(head, HasSubstr("x-failure: head_stalled"));
  EXPECT_EQ(routes_.calls, 0);
  const std::string body = talk("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n123");
  EXPECT_THAT(body, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(body, HasSubstr("x-failure: body_stalled"));
  EXPECT_EQ(talk(""), "");                                                              // never spoke
  EXPECT_THAT(talk("GET /early HTTP/1.1\r\nHost: h\r\n\r\n"), EndsWith("\r\n\r\nno"));  // idle after
}

TEST_F(ServerTest, DripsOfAHeadDoNotExtendItsTime) {
  start({.head_time_max = 300ms});
  RawSocket socket = connect();
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < 40 && socket.send("G"); ++i) std::this_thread::sleep_for(20ms);
  std::string answer;
  socket.read_to_end(answer);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
  EXPECT_LT(std::chrono::steady_clock::now() - started, 5s);
}

TEST_F(ServerTest, StreamsAnswersOfExactlyTheAnnouncedLength) {
  start();
  const std::string answer = talk("GET /whole HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 1000000\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + std::string(1'000'000, 'x')));
  const std::string head = talk("HEAD /short HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head, EndsWith("Content-Length: 1000000\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(talk("HEAD /size HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              HasSubstr("Content-Length: 123456789012\r\n"));
}

TEST_F(ServerTest, AbortsAnswersWhoseSourceIsWrong) {
  start();
  for (const std::string path : {"/short", "/fail", "/extra"}) {
    RawSocket socket = connect();
    socket.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    std::string answer;
    EXPECT_EQ(socket.read_to_end(answer), RawSocket::End::kReset) << path;
    EXPECT_LT(std::count(answer.begin(), answer.end(), 'x'), 1'000'000) << path;
  }
}

TEST_F(ServerTest, LetsTheHandlerAnswerOtherwiseWhenTheFirstBlockFails) {
  start();
  EXPECT_THAT(talk("GET /cold HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              testing::AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("a granule does not verify")));
}

TEST_F(ServerTest, NeverLetsAHeaderSplitTheAnswer) {
  start();
  const std::string answer = talk("GET /split HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer, Not(HasSubstr("x-evil")));
}

TEST_F(ServerTest, Answers500WhereTheHandlerFails) {
  start();
  for (const std::string path : {"/throw", "/silent", "/error"}) {
    const std::string answer = talk("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 ")) << path;
    EXPECT_THAT(answer, HasSubstr("x-failure: handler_failed")) << path;
    EXPECT_THAT(answer, Not(HasSubstr("boom"))) << path;
  }
}

TEST_F(ServerTest, ShedsTheNewestConnectionPastItsBound) {
  start({.connections_max = 2});
  RawSocket one = connect(), two = connect();
  one.send("GET /early HTTP/1.1\r\nHost: h\r\n\r\n");
  two.send("GET /early HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(one.read_answer(), EndsWith("no"));
  EXPECT_THAT(two.read_answer(), EndsWith("no"));
  const std::string shed = talk("GET /early HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(shed, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(shed, HasSubstr("x-failure: overloaded"));
  EXPECT_EQ(routes_.calls, 2);
  one.send("GET /early HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(one.read_answer(), EndsWith("no"));
}

TEST_F(ServerTest, StopLetsRunningExchangesFinishAndClosesIdleConnections) {
  start();
  RawSocket idle = connect(), busy = connect();
  idle.send("GET /early HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(idle.read_answer(), EndsWith("no"));
  busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  while (routes_.calls < 2) std::this_thread::sleep_for(1ms);
  const std::uint16_t port = server_->port();
  stop();
  std::string rest;
  EXPECT_EQ(idle.read_to_end(rest), RawSocket::End::kOrderly);
  EXPECT_EQ(rest, "");
  EXPECT_EQ(busy.read_to_end(rest), RawSocket::End::kOrderly);
  EXPECT_THAT(rest, EndsWith("Connection: close\r\n\r\nslow"));
  Server again({.port = port}, loops_.executors(), routes_, clock_);
  EXPECT_TRUE(again.start().ok());
  EXPECT_TRUE(run_to_end(again.stop()).ok());
}

TEST_F(ServerTest, StopEndsWhatOutlastsTheGrace) {
  start({.stop_grace = 20ms});
  RawSocket busy = connect();
  busy.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n1");
  while (routes_.calls < 1) std::this_thread::sleep_for(1ms);
  const auto started = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - started, 5s);
}

TEST_F(ServerTest, SaysWhyItCannotListen) {
  start();
  Server same({.port = server_->port()}, loops_.executors(), routes_, clock_);
  EXPECT_EQ(same.start().error().code, Code::kUnavailable);
  Server nowhere({.address = "localhost"}, loops_.executors(), routes_, clock_);
  EXPECT_EQ(nowhere.start().error().code, Code::kInvalid);
}

}  // namespace
}  // namespace tombolo::http
