#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server_test_fixture.h"

namespace tombolo::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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

TEST_F(ServerTest, StreamsAnswersOfExactlyTheAnnouncedLength) {
  start();
  const std::string answer = talk("GET /whole HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 1000000\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + std::string(1'000'000, 'x')));
  const std::string pieces = talk("GET /pieces HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(pieces.ends_with("\r\n\r\n" + std::string(1'000'000, 'x')));
  const std::string head = talk("HEAD /short HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head, EndsWith("Content-Length: 1000000\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(talk("HEAD /size HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              HasSubstr("Content-Length: 123456789012\r\n"));
}

TEST_F(ServerTest, AbortsAnswersWhoseSourceIsWrong) {
  start();
  for (const std::string path : {"/short", "/fail", "/extra", "/pieces/short", "/pieces/fail", "/pieces/extra"}) {
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
