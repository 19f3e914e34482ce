#include "http/guarded_socket.h"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>
#include <vector>

namespace tombolo::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Deadline deadline_after(Duration duration) {
  return asio::steady_timer::clock_type::now() + duration;
}

namespace {

// A wait as Asio's frames await it themselves: use_awaitable would put a frame of its own, and its memory for as long
// as a connection is idle, between them and the socket.
struct WaitOperation {
  tcp::socket& socket;
  tcp::socket::wait_type what;
  error_code& error;

  template <class Token>
    requires(!std::is_pointer_v<std::decay_t<Token>>)  // a frame asks whether it could be called with itself
  auto operator()(Token&& token) {
    return socket.async_wait(what, asio::redirect_error(std::forward<Token>(token), error));
  }
};

int unacknowledged(tcp::socket& socket) {
  int bytes = 0;
  return ::ioctl(socket.native_handle(), SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

}  // namespace

GuardedSocket::GuardedSocket(tcp::socket given) : socket(std::move(given)), timer_(socket.get_executor()) {}

void GuardedSocket::set_up(PaceOptions writes) {
  if (writes.stall_max > Duration::zero()) pace_.emplace(writes);
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.non_blocking(true, ignored);
}

void GuardedSocket::begin(Deadline until) {
  deadline_ = until;
  waiting_ = true;
  expired_ = false;
  if (!armed_ || timer_.expiry() > until) arm(until);
}

Error GuardedSocket::failure(const error_code& error) const {
  if (error == asio::error::operation_aborted) {
    return expired_ ? Error{Code::kDeadline, "the connection made no progress for too long"}
                    : Error{Code::kCancelled, "the wait on a connection was cancelled"};
  }
  return Error{Code::kUnavailable, fmt::format("the connection is lost: {}", error.message())};
}

Task<void> GuardedSocket::connect(tcp::endpoint to, Deadline until) {
  error_code error;
  begin(until);
  co_await socket.async_connect(to, asio::redirect_error(asio::use_awaitable, error));
  end();
  if (error == asio::error::operation_aborted) co_return failure(error);
  if (error) co_return Error{Code::kUnavailable, fmt::format("cannot connect: {}", error.message())};
  set_up();
  co_return Result<void>{};
}

Task<void> GuardedSocket::wait(tcp::socket::wait_type what, Deadline until) {
  error_code error;
  tries_left_ = kTriesInARow;
  paced_ = pace_ && what == tcp::socket::wait_write;
  if (paced_) {
    const Deadline now = deadline_after({});
    pace_->rested(std::chrono::duration_cast<Duration>(now - noted_));
    noted_ = now;
    unacknowledged_ = unacknowledged(socket);
    until = noted_ + pace_->allowance();
  }
  begin(until);
  WaitOperation operation{socket, what, error};
  co_await std::move(operation);
  end();
  if (paced_) (void)note_acknowledged();
  paced_ = false;
  if (error) co_return failure(error);
  co_return Result<void>{};
}

void GuardedSocket::sleep(Deadline until, std::shared_ptr<Sleeper> sleeper) {
  tries_left_ = kTriesInARow;
  begin(until);
  socket.async_wait(tcp::socket::wait_read,
                    [self = shared_from_this(), sleeper = std::move(sleeper)](const error_code& error) {
                      self->end();
                      sleeper->wake(error ? Result<void>(self->failure(error)) : Result<void>());
                    });
}

void GuardedSocket::shutdown_write() {
  error_code ignored;
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void GuardedSocket::abort() {
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

void GuardedSocket::cancel() {
  error_code ignored;
  socket.cancel(ignored);
  disarm();
}

void GuardedSocket::close() {
  error_code ignored;
  socket.close(ignored);
  disarm();
}

bool GuardedSocket::quiet() {
  std::byte probe{};
  error_code error;
  socket.receive(asio::buffer(&probe, 1), asio::socket_base::message_peek, error);
  return error == asio::error::would_block;
}

bool GuardedSocket::note_acknowledged() {
  const Deadline now = deadline_after({});
  const int left = unacknowledged(socket);
  const auto bytes = static_cast<std::uint64_t>(std::max(0, unacknowledged_ - left));
  pace_->moved(bytes, std::chrono::duration_cast<Duration>(now - noted_));
  noted_ = now;
  unacknowledged_ = left;
  return bytes > 0;
}

void GuardedSocket::disarm() {
  ++generation_;
  armed_ = false;
  timer_.cancel();
}

void GuardedSocket::arm(Deadline at) {
  armed_ = true;
  timer_.expires_at(at);
  timer_.async_wait(
      [self = shared_from_this(), generation = ++generation_](const error_code&) { self->fired(generation); });
}

void GuardedSocket::fired(std::uint64_t generation) {
  if (generation != generation_) return;  // armed anew meanwhile
  armed_ = false;
  if (!waiting_) return;
  if (asio::steady_timer::clock_type::now() < deadline_) return arm(deadline_);
  if (paced_ && note_acknowledged() && pace_->allowance() > Duration::zero()) {
    deadline_ = noted_ + pace_->allowance();
    return arm(deadline_);
  }
  expired_ = true;
  error_code ignored;
  socket.cancel(ignored);
}

namespace {

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

Task<std::shared_ptr<GuardedSocket>> connect_socket(std::string host, std::uint16_t port, Duration each_max) {
  const auto executor = co_await asio::this_coro::executor;
  CO_TRY_ASSIGN(const auto endpoints, look_up(host, port));
  Error last{Code::kUnavailable, fmt::format("{} has no address", host)};
  for (const auto& endpoint : endpoints) {
    auto guarded = std::make_shared<GuardedSocket>(tcp::socket(executor));
    auto connected = co_await guarded->connect(endpoint, deadline_after(each_max));
    if (connected.ok()) co_return guarded;
    last = std::move(connected).error();
    guarded->close();
    if (last.code == Code::kCancelled) break;
  }
  co_return last;
}

}  // namespace tombolo::http
