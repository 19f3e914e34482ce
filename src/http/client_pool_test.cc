#include "http/client_pool.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

namespace tombolo::http {
namespace {

using namespace std::chrono_literals;

/// Counts how many are closed; nothing comes over it.
class Silent final : public Stream {
 public:
  explicit Silent(int& closed) : closed_(closed) {}
  ~Silent() override { ++closed_; }
  Task<void> settle(Deadline) override { co_return Result<void>{}; }
  Task<void> wait_readable(Deadline) override { co_return Result<void>{}; }
  void sleep(Deadline, std::shared_ptr<Sleeper>) override {}
  Task<std::size_t> read_some(MutableBytes, Deadline) override { co_return std::size_t{0}; }
  Task<void> write(std::span<const BytesView>, Duration) override { co_return Result<void>{}; }
  void shutdown_write() override {}
  void abort() override {}
  void cancel() override {}
  bool quiet() override { return true; }

 private:
  int& closed_;
};

class ClientPoolTest : public testing::Test {
 protected:
  static constexpr int kLeft = 20;  // addresses that are used once

  void renew(Duration idle_max) {
    ClientConfig config;
    config.idle_max = idle_max;
    pool_ = std::make_shared<ClientPool>(config);
  }
  EndpointKey key(int host, const void* loop) {
    return {.loop = loop, .host = "10.0.0." + std::to_string(host), .port = 443, .tls_name = "store.example"};
  }
  ClientPool::Lease lease(const EndpointKey& key) { return *pool_->lease(key, ClientPool::Want::kAny); }
  /// Over an idle connection, or a new one.
  void use(const EndpointKey& key) {
    auto leased = lease(key);
    if (!leased.connection) {
      leased.connection = std::make_unique<ClientConnection>();
      leased.connection->stream = std::make_unique<Silent>(closed_);
      leased.connection->executor = loop_.get_executor();
      ++opened_;
    }
    leased.give_back();
  }
  void use_and_leave(const void* loop) {
    for (int host = 0; host < kLeft; ++host) use(key(host, loop));
    EXPECT_EQ(opened_, kLeft);
  }

  boost::asio::io_context loop_{1};
  int other_loop_ = 0;
  int opened_ = 0, closed_ = 0;
  std::shared_ptr<ClientPool> pool_;
};

TEST_F(ClientPoolTest, ClosesAFewIdleConnectionsOfAddressesThatWereLeftWithEachUse) {
  renew(100ms);
  use_and_leave(&loop_);
  std::this_thread::sleep_for(120ms);
  use(key(kLeft, &loop_));
  EXPECT_GT(closed_, 0);
  EXPECT_LT(closed_, kLeft) << "one request does not pay for all of them";
  for (int n = 0; n < kLeft; ++n) use(key(kLeft, &loop_));
  EXPECT_GE(closed_, kLeft);
  EXPECT_LE(opened_ - closed_, 1) << "the address that is still used";
}

TEST_F(ClientPoolTest, LeavesTheConnectionsOfOtherLoopsToThem) {
  renew(100ms);
  use_and_leave(&other_loop_);
  std::this_thread::sleep_for(120ms);
  for (int n = 0; n < kLeft; ++n) use(key(kLeft, &loop_));
  EXPECT_GE(opened_ - closed_, kLeft);
}

TEST_F(ClientPoolTest, KeepsWhatIsNotIdleForLong) {
  renew(1h);
  for (int round = 0; round < 3; ++round) use_and_leave(&loop_);
  EXPECT_EQ(closed_, 0);
  pool_.reset();
  loop_.poll();
  EXPECT_EQ(closed_, kLeft) << "on their loop";
}

TEST_F(ClientPoolTest, GivesTheConnectionThatWasUsedLast) {
  renew(1h);
  auto first = lease(key(1, &loop_)), second = lease(key(1, &loop_));
  for (auto* leased : {&first, &second}) {
    leased->connection = std::make_unique<ClientConnection>();
    leased->connection->stream = std::make_unique<Silent>(closed_);
    leased->connection->executor = loop_.get_executor();
  }
  const auto* last = first.connection.get();
  second.give_back();
  first.give_back();
  EXPECT_EQ(lease(key(1, &loop_)).connection.get(), last);
}

}  // namespace
}  // namespace tombolo::http
