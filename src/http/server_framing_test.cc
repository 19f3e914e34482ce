// Requests as bytes: what the server takes, what it refuses, and how bodies end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/framing_test_cases.h"
#include "http/server_test_fixture.h"

namespace tombolo::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

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

}  // namespace
}  // namespace tombolo::http
