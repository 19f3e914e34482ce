#include "http/tcp_stream.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

namespace tombolo::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Deadline deadline_after(Duration duration) {
  return asio::steady_timer::clock_type::now() + duration;
}

namespace {

// A socket and the timer that ends its waits. The timer is left running from one wait to the next and looks at the
// deadline when it fires: setting it for each wait would cost more than most waits.
class GuardedSocket : public std::enable_shared_from_this<GuardedSocket> {
 public:
  explicit GuardedSocket(tcp::socket given) : socket(std::move(given)), timer_(socket.get_executor()) {}

  void begin(Deadline until) {
    deadline_ = until;
    waiting_ = true;
    expired_ = false;
    if (!armed_ || timer_.expiry() > until) arm(until);
  }
  void end() { waiting_ = false; }

  Error failure(const error_code& error) const {
    if (error == asio::error::operation_aborted) {
      return expired_ ? Error{Code::kDeadline, "the connection made no progress for too long"}
                      : Error{Code::kCancelled, "the wait on a connection was cancelled"};
    }
    return Error{Code::kUnavailable, fmt::format("the connection is lost: {}", error.message())};
  }

  void cancel() {
    error_code ignored;
    socket.cancel(ignored);
    disarm();
  }
  void close() {
    error_code ignored;
    socket.close(ignored);
    disarm();
  }

  tcp::socket socket;

 private:
  void disarm() {
    ++generation_;
    armed_ = false;
    timer_.cancel();
  }
  void arm(Deadline at) {
    armed_ = true;
    timer_.expires_at(at);
    timer_.async_wait(
        [self = shared_from_this(), generation = ++generation_](const error_code&) { self->fired(generation); });
  }
  void fired(std::uint64_t generation) {
    if (generation != generation_) return;  // armed anew meanwhile
    armed_ = false;
    if (!waiting_) return;
    if (asio::steady_timer::clock_type::now() < deadline_) return arm(deadline_);
    expired_ = true;
    error_code ignored;
    socket.cancel(ignored);
  }

  asio::steady_timer timer_;
  Deadline deadline_;
  bool waiting_ = false;
  bool expired_ = false;
  bool armed_ = false;
  std::uint64_t generation_ = 0;
};

class TcpStream final : public Stream {
 public:
  explicit TcpStream(tcp::socket socket) : guarded_(std::make_shared<GuardedSocket>(std::move(socket))) {}
  ~TcpStream() override { guarded_->close(); }

  /// For quiet(); asynchronous waits do not mind. Requires an open socket.
  void set_up() {
    error_code ignored;
    socket().set_option(tcp::no_delay(true), ignored);
    socket().non_blocking(true, ignored);
  }

  Task<void> connect(tcp::endpoint to, Deadline until) {
    error_code error;
    guarded_->begin(until);
    co_await socket().async_connect(to, asio::redirect_error(asio::use_awaitable, error));
    guarded_->end();
    if (error == asio::error::operation_aborted) co_return guarded_->failure(error);
    if (error) co_return Error{Code::kUnavailable, fmt::format("cannot connect: {}", error.message())};
    set_up();
    co_return Result<void>{};
  }

  Task<void> wait_readable(Deadline until) override {
    error_code error;
    guarded_->begin(until);
    co_await socket().async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
    guarded_->end();
    if (error) co_return guarded_->failure(error);
    co_return Result<void>{};
  }

  Task<std::size_t> read_some(MutableBytes into, Deadline until) override {
    error_code error;
    guarded_->begin(until);
    const std::size_t n = co_await socket().async_read_some(asio::buffer(into.data(), into.size()),
                                                            asio::redirect_error(asio::use_awaitable, error));
    guarded_->end();
    if (error && error != asio::error::eof) co_return guarded_->failure(error);
    co_return n;
  }

  Task<void> write(BytesView first, BytesView second, Duration stall_max) override {
    while (!first.empty() || !second.empty()) {
      const std::array<asio::const_buffer, 2> pieces = {asio::buffer(first.data(), first.size()),
                                                        asio::buffer(second.data(), second.size())};
      error_code error;
      guarded_->begin(deadline_after(stall_max));
      const std::size_t n =
          co_await socket().async_write_some(pieces, asio::redirect_error(asio::use_awaitable, error));
      guarded_->end();
      if (error) co_return guarded_->failure(error);
      const std::size_t of_first = std::min(n, first.size());
      first = first.subspan(of_first);
      second = second.subspan(n - of_first);
    }
    co_return Result<void>{};
  }

  void shutdown_write() override {
    error_code ignored;
    socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  void abort() override {
    error_code ignored;
    socket().set_option(asio::socket_base::linger(true, 0), ignored);
    guarded_->close();
  }

  void cancel() override { guarded_->cancel(); }

  bool quiet() override {
    std::byte probe{};
    error_code error;
    socket().receive(asio::buffer(&probe, 1), asio::socket_base::message_peek, error);
    return error == asio::error::would_block;
  }

 private:
  tcp::socket& socket() { return guarded_->socket; }

  std::shared_ptr<GuardedSocket> guarded_;
};

Task<std::vector<tcp::endpoint>> look_up(std::string host, std::uint16_t port) {
  error_code error;
  const auto literal = asio::ip::make_address(host, error);
  if (!error) co_return std::vector<tcp::endpoint>{{literal, port}};
  tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto found =
      co_await resolver.async_resolve(host, std::to_string(port), asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::operation_aborted) co_return Error{Code::kCancelled, "the name look-up was cancelled"};
  if (error) co_return Error{Code::kUnavailable, fmt::format("cannot look up {}: {}", host, error.message())};
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) {
    if (endpoints.size() < kAddressesMax) endpoints.push_back(entry.endpoint());
  }
  co_return endpoints;
}

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(tcp::socket socket) {
  auto stream = std::make_unique<TcpStream>(std::move(socket));
  stream->set_up();
  return stream;
}

Task<std::unique_ptr<Stream>> connect_tcp(std::string host, std::uint16_t port, Duration each_max) {
  const auto executor = co_await asio::this_coro::executor;
  CO_TRY_ASSIGN(const auto endpoints, look_up(host, port));
  Error last{Code::kUnavailable, fmt::format("{} has no address", host)};
  for (const auto& endpoint : endpoints) {
    auto stream = std::make_unique<TcpStream>(tcp::socket(executor));
    auto connected = co_await stream->connect(endpoint, deadline_after(each_max));
    if (connected.ok()) co_return std::unique_ptr<Stream>(std::move(stream));
    last = std::move(connected).error();
    if (last.code == Code::kCancelled) break;
  }
  co_return last;
}

}  // namespace tombolo::http
