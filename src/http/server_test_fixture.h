// What the tests of the server share: a handler of many ways to answer, and a server that runs it.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>

#include "async/sleep.h"
#include "http/server_test_support.h"

namespace tombolo::http {

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
  std::optional<Block> next_at_hand() override {
    if (left_ == 0 || step_ != kPiece || ++asked_ % 50 == 0) return std::nullopt;
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, step_));
    left_ -= n;
    return Block(Bytes(n, std::byte{'x'}));
  }
  static constexpr std::size_t kPiece = 9'000;  // blocks of this step are at hand, now and then not

 private:
  std::uint64_t left_;
  const std::size_t step_;
  const bool fails_;
  int asked_ = 0;
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
    if (path == "/abandon") {
      exchange.abandon_body();
      co_return co_await say(exchange, 503, "busy");
    }
    if (path == "/silent") co_return Result<void>{};
    if (path == "/error") co_return Error{Code::kCorrupt, "a row is torn"};
    if (path == "/empty") co_return co_await say(exchange, 204, "");
    if (path == "/size") {
      ResponseHead head;
      co_return co_await exchange.respond_head_only(std::move(head), 123'456'789'012);
    }
    if (path == "/split") co_return co_await split(exchange);
    if (path == "/slow") {
      CO_TRY(sleep_for(std::chrono::milliseconds(300)));
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
    const std::uint64_t size = path == "/huge" ? 256'000'000 : 1'000'000;
    PatternSource source(path.ends_with("/short")   ? size - 1
                         : path.ends_with("/extra") ? size + 1
                         : path == "/cold"          ? 0
                                                    : size,
                         path.starts_with("/pieces") ? PatternSource::kPiece : 100'000,
                         path.ends_with("/fail") || path == "/cold");
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

}  // namespace tombolo::http
