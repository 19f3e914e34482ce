// A TCP forwarder before the FakeAzure, for lies that an HTTP server cannot tell.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "async/scope.h"

namespace tombolo::remote::azure::testing {

/// Runs on the loop of the test, until stop().
class LyingFront {
 public:
  enum class Lie { kNone, kDrop, kCut };  // close at once; close before the last bytes of an answer

  LyingFront(boost::asio::io_context& loop, std::uint16_t upstream)
      : loop_(loop), upstream_(boost::asio::ip::address_v4::loopback(), upstream) {
    acceptor_.open(upstream_.protocol());
    acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
    port_ = acceptor_.local_endpoint().port();
    acceptor_.listen();
    scope_.spawn(loop_.get_executor(), accept());
  }

  std::uint16_t port() const { return port_; }
  /// For the next `times` connections (kDrop) or answers (kCut).
  void lie(Lie what, int times) {
    lie_ = what;
    times_ = times;
  }
  Task<void> stop() { co_return co_await scope_.close(); }

 private:
  using Socket = boost::asio::ip::tcp::socket;
  struct Pair {
    Socket client, service;
  };

  bool lies(Lie what) {
    if (lie_ != what || times_ == 0) return false;
    --times_;
    return true;
  }

  Task<void> accept() {
    while (true) {
      auto pair = std::make_shared<Pair>(Pair{Socket(loop_), Socket(loop_)});
      boost::system::error_code error;
      co_await acceptor_.async_accept(pair->client, boost::asio::redirect_error(boost::asio::use_awaitable, error));
      if (error) co_return Result<void>{};
      if (lies(Lie::kDrop)) continue;
      co_await pair->service.async_connect(upstream_, boost::asio::redirect_error(boost::asio::use_awaitable, error));
      if (error) continue;
      scope_.spawn(loop_.get_executor(), pump(pair, pair->client, pair->service, false));
      scope_.spawn(loop_.get_executor(), pump(pair, pair->service, pair->client, true));
    }
  }

  Task<void> pump(std::shared_ptr<Pair> pair, Socket& from, Socket& to, bool answers) {
    std::array<char, 64 * 1024> buffer;
    boost::system::error_code error, ignored;
    while (true) {
      const std::size_t n = co_await from.async_read_some(
          boost::asio::buffer(buffer), boost::asio::redirect_error(boost::asio::use_awaitable, error));
      if (error) break;
      const bool cut = answers && lies(Lie::kCut);
      const std::size_t length = cut ? n - std::min<std::size_t>(n, 3) : n;
      co_await boost::asio::async_write(to, boost::asio::buffer(buffer, length),
                                        boost::asio::redirect_error(boost::asio::use_awaitable, error));
      if (error || cut) break;
    }
    pair->client.close(ignored);
    pair->service.close(ignored);
    co_return Result<void>{};
  }

  boost::asio::io_context& loop_;
  const boost::asio::ip::tcp::endpoint upstream_;
  boost::asio::ip::tcp::acceptor acceptor_{loop_};
  std::uint16_t port_ = 0;
  Lie lie_ = Lie::kNone;
  int times_ = 0;
  Scope scope_{"front"};
};

}  // namespace tombolo::remote::azure::testing
