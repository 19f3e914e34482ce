// What the server lets slow, greedy and too many clients have.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/connection.h"
#include "http/pace.h"
#include "http/server_test_fixture.h"

namespace tombolo::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using Steady = std::chrono::steady_clock;

const std::string kGet = "GET /early HTTP/1.1\r\nHost: h\r\n\r\n";

std::string upload(std::size_t size) {
  return "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
}

TEST(Pace, ForgivesStallsAndNoLastingSlowness) {
  Pace pace({.stall_max = 10s, .rate_min = 100});
  EXPECT_EQ(pace.allowance(), 10s);
  pace.moved(1, 9s);  // a stall
  EXPECT_EQ(pace.allowance(), 1s + 10ms);
  pace.moved(100'000'000, 1s);  // a burst buys no more than a stall
  EXPECT_EQ(pace.allowance(), 10s);
  for (int second = 0; second < 1'000; ++second) pace.moved(100, 1s);
  EXPECT_EQ(pace.allowance(), 10s);  // exactly the rate, for ever
  int lasted = 0;
  for (; pace.allowance() > 0s; ++lasted) pace.moved(50, 1s);
  EXPECT_EQ(lasted, 20);
  Pace any({.stall_max = 10s});
  for (int i = 0; i < 100; ++i) any.moved(1, 9s);
  EXPECT_EQ(any.allowance(), 10s);
}

TEST_F(ServerTest, EndsAnUploadThatDripsBelowTheLeastRate) {
  start({.body_stall_max = 300ms, .rate_min = 10'000});
  RawSocket socket = connect();
  socket.send(upload(1'000'000));
  const auto started = Steady::now();
  // A byte every 20 ms never stalls; it is 50 bytes a second.
  while (Steady::now() - started < 5s && socket.send("x")) std::this_thread::sleep_for(20ms);
  std::string answer;
  (void)socket.read_to_end(answer);
  EXPECT_LT(Steady::now() - started, 4s);
  EXPECT_THAT(answer, HasSubstr("x-failure: body_stalled"));
  EXPECT_EQ(routes_.bodies, 0);
}

TEST_F(ServerTest, KeepsAnUploadThatHoldsTheRateForLongerThanAStallMayTake) {
  start({.body_stall_max = 500ms, .rate_min = 100});
  RawSocket socket = connect();
  socket.send(upload(1'500));
  for (int i = 0; i < 75; ++i) {
    ASSERT_TRUE(socket.send(std::string(20, 'x')));
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_THAT(socket.read_answer(), EndsWith(std::string(1'500, 'x')));
}

TEST_F(ServerTest, CutsAReaderBelowTheLeastRate) {
  start({.write_stall_max = 300ms, .rate_min = 1'000 * kMiB});
  RawSocket socket = connect();
  socket.send("GET /huge HTTP/1.1\r\nHost: h\r\n\r\n");
  std::string got;
  const auto started = Steady::now();
  // Reads all the time, so that no single wait is long, and too slowly.
  while (Steady::now() - started < 9s && socket.read_until(got, std::string(64 * 1024, 'x'))) {
    got.clear();
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_LT(Steady::now() - started, 8s);
}

TEST_F(ServerTest, KeepsAReaderThatHoldsTheRateHoweverMuchTheKernelBuffers) {
  start({.write_stall_max = 700ms, .rate_min = 10'000});
  RawSocket socket = connect();
  socket.receive_buffer(64 * 1024);
  socket.send("GET /huge HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto started = Steady::now();
  // About 400 KB a second: the kernel tells the server of room every two seconds.
  for (std::string got; Steady::now() - started < 5s; got.clear()) {
    ASSERT_TRUE(socket.receive(got, 8 * 1024));
    std::this_thread::sleep_for(20ms);
  }
}

TEST_F(ServerTest, CutsAClientThatNeverReads) {
  start({.write_stall_max = 200ms});
  RawSocket socket = connect();
  socket.send("GET /huge HTTP/1.1\r\nHost: h\r\n\r\n");
  std::string head;
  ASSERT_TRUE(socket.receive(head, 1));
  const auto started = Steady::now();
  while (server_->stats().connections > 0 && Steady::now() - started < 5s) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(server_->stats().connections, 0u);
}

TEST_F(ServerTest, WaitsForABodyThatNobodyWantsOnlyForAWhile) {
  start({.drain_time_max = 100ms});
  const std::string head = "PUT /early HTTP/1.1\r\nHost: h\r\n";
  EXPECT_THAT(talk(head + "Content-Length: 1001\r\n\r\nx"), EndsWith("Connection: close\r\n\r\nno"));
  EXPECT_THAT(talk(head + "Transfer-Encoding: chunked\r\n\r\n3e9\r\nx"), EndsWith("Connection: close\r\n\r\nno"));
}

TEST_F(ServerTest, AnswersAnAbandonedUploadAtOnce) {
  start();
  const std::string head = "PUT /abandon HTTP/1.1\r\nHost: h\r\nContent-Length: ";
  EXPECT_THAT(talk(head + "1000000\r\n\r\n"), EndsWith("Connection: close\r\n\r\nbusy"));
  // What little is on its way is read, and the connection lives on.
  RawSocket socket = connect();
  socket.send(head + "4\r\n\r\nbody" + kGet);
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\nbusy"));
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\nno"));
}

TEST_F(ServerTest, ReadsLittleOfAnEndlessHead) {
  start();
  RawSocket socket = connect();
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; head.size() < 64 * kKiB; ++i)
    head += "x-" + std::to_string(i) + ": " + std::string(900, 'x') + "\r\n";
  std::uint64_t sent = 0;
  while (sent < 64 * kMiB && socket.send(head)) sent += head.size();
  EXPECT_LT(sent, 32 * kMiB);  // the sockets' buffers, and what lingering takes
  std::string answer;
  (void)socket.read_to_end(answer);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, GivesANewConnectionThePlaceOfTheLongestIdleOne) {
  start({.connections_max = 3});
  RawSocket idle = connect(), busy = connect(), recent = connect();
  idle.send(kGet);
  EXPECT_THAT(idle.read_answer(), EndsWith("no"));
  busy.send(upload(2) + "1");
  while (routes_.calls < 2) std::this_thread::sleep_for(1ms);
  recent.send(kGet);
  EXPECT_THAT(recent.read_answer(), EndsWith("no"));
  RawSocket fresh = connect();
  fresh.send(kGet);
  EXPECT_THAT(fresh.read_answer(), EndsWith("no"));
  std::string rest;
  EXPECT_EQ(idle.read_to_end(rest), RawSocket::End::kOrderly);
  EXPECT_EQ(rest, "");
  recent.send(kGet);
  EXPECT_THAT(recent.read_answer(), EndsWith("no"));
  busy.send("2");
  EXPECT_THAT(busy.read_answer(), EndsWith("12"));
  EXPECT_EQ(server_->stats().evicted, 1u);
  EXPECT_EQ(server_->stats().shed, 0u);
}

TEST_F(ServerTest, EvictsHalfSentHeadsToo) {
  start({.connections_max = 1});
  RawSocket slow = connect();
  slow.send("GET /early HT");
  RawSocket fresh = connect();
  fresh.send(kGet);
  EXPECT_THAT(fresh.read_answer(), EndsWith("no"));
  std::string rest;
  (void)slow.read_to_end(rest);
  EXPECT_EQ(rest, "");
}

const std::string kLargeField = "x: " + std::string(kSmallHead, 'x') + "\r\n";

// Connections that each send `bytes` and wait, 20 more than the loops let wait with large heads.
struct LargeHeads : ServerTest {
  static constexpr std::size_t kTooMany = 20;

  void open(const std::string& bytes) {
    start();
    const std::size_t allowed = loops_.executors().size() * kLargeHeadsMax;
    for (std::size_t i = 0; i < allowed + kTooMany; ++i) {
      waiting_.push_back(connect());
      waiting_.back().send(bytes);
    }
    const auto settled = [&] {
      const ServerStats stats = server_->stats();
      return stats.accepted == waiting_.size() && stats.evicted >= kTooMany && stats.connections <= allowed;
    };
    for (int n = 0; n < 1'000 && !settled(); ++n) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(server_->stats().connections, allowed);
    EXPECT_EQ(server_->stats().evicted, kTooMany) << "an operator sees it";
    // The oldest of each loop: they take turns, and one may have had to close all.
    for (std::size_t i = 2 * kTooMany; i < waiting_.size(); ++i) EXPECT_FALSE(waiting_[i].ended()) << i;
  }

  std::vector<RawSocket> waiting_;
};

TEST_F(LargeHeads, FewMayBeUnfinished) {
  const std::string large = "GET /early HTTP/1.1\r\nHost: h\r\n" + kLargeField;
  open(large);
  // The newest go on, and a head that is there in one piece is served.
  waiting_.back().send("\r\n");
  EXPECT_THAT(waiting_.back().read_answer(), EndsWith("no"));
  RawSocket fresh = connect();
  fresh.send(large + "\r\n");
  EXPECT_THAT(fresh.read_answer(), EndsWith("no"));
}

TEST_F(LargeHeads, FewMayWaitForABodyThatNobodyWants) {
  open("PUT /early HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n" + kLargeField + "\r\nbody");
  waiting_.back().send(std::string(10'000 - 4, 'x'));
  EXPECT_THAT(waiting_.back().read_answer(), EndsWith("no"));
}

TEST_F(LargeHeads, FewMayBeHalfThereBehindAnotherRequest) {
  open(kGet + "GET /early HTTP/1.1\r\nHost: h\r\n" + kLargeField);
  waiting_.back().send("\r\n");
  EXPECT_THAT(waiting_.back().read_answer(), EndsWith("no"));
  EXPECT_THAT(waiting_.back().read_answer(), EndsWith("no"));
}

// What is left behind a large head moves into a small buffer.
TEST_F(ServerTest, ServesWhatComesBehindALargeHead) {
  start();
  const std::string large = "GET /early HTTP/1.1\r\nHost: h\r\n" + kLargeField + kLargeField + "\r\n";
  const std::string half = "GET /early HTTP/1.1\r\nHost: h\r\nx: " + std::string(8'000, 'x');
  RawSocket socket = connect();
  for (int n = 0; n < 3; ++n) {
    socket.send(large + half);
    EXPECT_THAT(socket.read_answer(), EndsWith("no"));
    socket.send("\r\n\r\n");
    EXPECT_THAT(socket.read_answer(), EndsWith("no"));
  }
  socket.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n" + kLargeField + "\r\n" +
              std::string(4'000, 'b'));
  std::this_thread::sleep_for(20ms);
  socket.send(std::string(1'000, 'b') + kGet);
  EXPECT_THAT(socket.read_answer(), EndsWith("\r\n\r\n" + std::string(5'000, 'b')));
  EXPECT_THAT(socket.read_answer(), EndsWith("no"));
  EXPECT_EQ(server_->stats().evicted, 0u);
}

TEST_F(ServerTest, ServesANewcomerAmongManyMoreIdleConnectionsThanItKeeps) {
  start({.connections_max = 20});
  std::vector<RawSocket> idle;
  for (int i = 0; i < 200; ++i) idle.push_back(connect());
  for (int i = 0; i < 5; ++i) {
    RawSocket fresh = connect();
    fresh.send(kGet);
    EXPECT_THAT(fresh.read_answer(), EndsWith("no"));
  }
  // Each loop closes what it was told to when it comes to that.
  for (int n = 0; n < 1'000 && server_->stats().connections > 20; ++n) std::this_thread::sleep_for(5ms);
  EXPECT_LE(server_->stats().connections, 20u);
  EXPECT_GE(server_->stats().evicted, 180u);
}

TEST_F(ServerTest, ShedsTheNewestConnectionWhereAllAreBusy) {
  start({.connections_max = 2});
  RawSocket one = connect(), two = connect();
  one.send(upload(2) + "1");
  two.send(upload(2) + "1");
  while (routes_.calls < 2) std::this_thread::sleep_for(1ms);
  const std::string shed = talk(kGet);
  EXPECT_THAT(shed, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(shed, HasSubstr("x-failure: overloaded"));
  EXPECT_EQ(routes_.calls, 2);
  EXPECT_EQ(server_->stats().shed, 1u);
  one.send("2");
  EXPECT_THAT(one.read_answer(), EndsWith("12"));
}

// --- connections that sleep: idle for longer than kSleepAfter of connection.cc

constexpr Duration kLongerThanAwake = 800ms;

TEST_F(ServerTest, ServesAConnectionThatSlept) {
  start();
  RawSocket never_asked = connect();
  RawSocket socket = connect();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(socket.send(kGet));
    EXPECT_THAT(socket.read_answer(), StartsWith("HTTP/1.1 403"));
    std::this_thread::sleep_for(kLongerThanAwake);
  }
  ASSERT_TRUE(never_asked.send(kGet.substr(0, 10)));  // half a head wakes it too
  std::this_thread::sleep_for(50ms);
  ASSERT_TRUE(never_asked.send(kGet.substr(10)));
  EXPECT_THAT(never_asked.read_answer(), StartsWith("HTTP/1.1 403"));
  EXPECT_EQ(server_->stats().connections, 2u);
}

TEST_F(ServerTest, ClosesSleepersAtTheirTime) {
  start({.head_time_max = 1s, .keep_alive_max = 2s});
  const auto started = Steady::now();
  RawSocket never_asked = connect();
  RawSocket socket = connect();
  ASSERT_TRUE(socket.send(kGet));
  EXPECT_THAT(socket.read_answer(), StartsWith("HTTP/1.1 403"));
  std::string nothing;
  EXPECT_EQ(never_asked.read_to_end(nothing), RawSocket::End::kOrderly);
  EXPECT_GE(Steady::now() - started, 950ms);
  EXPECT_LT(Steady::now() - started, 1'800ms);
  EXPECT_EQ(socket.read_to_end(nothing), RawSocket::End::kOrderly);
  EXPECT_GE(Steady::now() - started, 1'950ms);
  EXPECT_EQ(nothing, "");
  for (int i = 0; i < 500 && server_->stats().connections > 0; ++i) std::this_thread::sleep_for(2ms);
  EXPECT_EQ(server_->stats().connections, 0u);
}

TEST_F(ServerTest, StopsAtOnceThoughConnectionsSleep) {
  start();
  std::vector<RawSocket> sleepers;
  for (int i = 0; i < 20; ++i) {
    sleepers.push_back(connect());
    ASSERT_TRUE(sleepers.back().send(kGet));
    EXPECT_THAT(sleepers.back().read_answer(), StartsWith("HTTP/1.1 403"));
  }
  std::this_thread::sleep_for(kLongerThanAwake);
  const auto started = Steady::now();
  stop();
  EXPECT_LT(Steady::now() - started, 1s);
  std::string nothing;
  for (RawSocket& socket : sleepers) EXPECT_EQ(socket.read_to_end(nothing), RawSocket::End::kOrderly);
}

TEST_F(ServerTest, ASleeperGivesWayToANewcomer) {
  start({.connections_max = 1});
  RawSocket sleeper = connect();
  ASSERT_TRUE(sleeper.send(kGet));
  EXPECT_THAT(sleeper.read_answer(), StartsWith("HTTP/1.1 403"));
  std::this_thread::sleep_for(kLongerThanAwake);
  RawSocket newcomer = connect();
  ASSERT_TRUE(newcomer.send(kGet));
  EXPECT_THAT(newcomer.read_answer(), StartsWith("HTTP/1.1 403"));
  std::string nothing;
  EXPECT_EQ(sleeper.read_to_end(nothing), RawSocket::End::kOrderly);
  EXPECT_EQ(server_->stats().evicted, 1u);
}

}  // namespace
}  // namespace tombolo::http
