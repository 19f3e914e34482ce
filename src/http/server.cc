#include "http/server.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <mutex>

#include "async/scope.h"
#include "async/sleep.h"
#include "base/assert.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/tcp_stream.h"
#include "http/tls_stream.h"

namespace tombolo::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int kBacklog = 1'024;
constexpr int kAcceptsPerTurn = 64;          // then others on the loop have their turn
constexpr std::uint32_t kShedMax = 64;       // refused connections that are told so at once; more are just closed
constexpr std::size_t kIdleBuffersMax = 64;  // 16 MiB
constexpr Duration kAcceptPause = std::chrono::milliseconds(50);  // when the process is out of descriptors
constexpr Duration kStopPoll = std::chrono::milliseconds(5);

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(ServerConfig config, std::vector<Executor> executors, Handler& handler, Clock& clock)
      : shared_{std::move(config), handler, BufferPool(kIdleBuffersMax)} {
    ASSERT(!executors.empty());
    for (auto& executor : executors) loops_.emplace_back(std::move(executor), clock);
  }

  Result<void> start() {
    error_code error;
    const auto address = asio::ip::make_address(shared_.config.address, error);
    if (error) return Error{Code::kInvalid, fmt::format("\"{}\" is not an IP address", shared_.config.address)};
    const tcp::endpoint endpoint(address, shared_.config.port);
    acceptor_.emplace(loops_.front().executor);
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(kBacklog, error);
    if (!error) acceptor_->non_blocking(true, error);
    if (error) {
      acceptor_.reset();
      return Error{Code::kUnavailable, fmt::format("cannot listen on {}:{}: {}", shared_.config.address,
                                                   shared_.config.port, error.message())};
    }
    port_ = acceptor_->local_endpoint().port();
    accepting_.spawn(loops_.front().executor, accept_connections(shared_from_this()));
    return {};
  }

  std::uint16_t port() const { return port_; }
  std::size_t connection_count() const { return count_.load(std::memory_order_relaxed); }

  static Task<void> stop(std::shared_ptr<Impl> self) {
    self->shared_.stopping = true;
    CO_TRY(self->accepting_.close());
    self->close_idle();
    for (Duration waited{}; self->serving_.size() > 0 && waited < self->shared_.config.stop_grace;
         waited += kStopPoll) {
      CO_TRY(sleep_for(kStopPoll));
    }
    co_return co_await self->serving_.close();
  }

 private:
  struct Loop {
    Loop(Executor given, Clock& clock) : executor(std::move(given)), date(clock) {}
    const Executor executor;
    DateCache date;
    std::atomic<std::uint32_t> count{0};
  };

  struct Entry {
    std::weak_ptr<Connection> connection;
    Loop* loop;
  };
  using Registry = std::list<Entry>;

  // Counts and lists a connection for as long as its task lives, started or not.
  class Admission {
   public:
    Admission(std::shared_ptr<Impl> owner, Entry entry) : owner_(std::move(owner)) {
      ++entry.loop->count;
      ++owner_->count_;
      const std::lock_guard lock(owner_->mutex_);
      place_ = owner_->registry_.insert(owner_->registry_.end(), std::move(entry));
    }
    Admission(Admission&& other) noexcept = default;
    ~Admission() {
      if (!owner_) return;  // moved from
      --place_->loop->count;
      --owner_->count_;
      const std::lock_guard lock(owner_->mutex_);
      owner_->registry_.erase(place_);
    }

   private:
    std::shared_ptr<Impl> owner_;
    Registry::iterator place_;
  };

  static Task<void> accept_connections(std::shared_ptr<Impl> self) {
    tcp::acceptor acceptor = std::move(*self->acceptor_);  // closed with this task, on its loop
    while (true) {
      error_code error;
      co_await acceptor.async_wait(tcp::acceptor::wait_read, asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return Error{Code::kCancelled, error.message()};
      for (int i = 0; i < kAcceptsPerTurn && !error; ++i) {
        Loop& loop = self->least_loaded();
        tcp::socket socket(loop.executor);
        acceptor.accept(socket, error);
        if (!error) self->admit(std::move(socket), loop);
      }
      if (!error || error == asio::error::would_block || error == asio::error::connection_aborted) continue;
      log(LogLevel::kWarn, "http", "cannot accept: {}", error.message());
      CO_TRY(sleep_for(kAcceptPause));
    }
  }

  Loop& least_loaded() {
    Loop* least = &loops_.front();
    for (Loop& loop : loops_) {
      if (loop.count.load(std::memory_order_relaxed) < least->count.load(std::memory_order_relaxed)) least = &loop;
    }
    return *least;
  }

  void admit(tcp::socket socket, Loop& loop) {
    error_code error;
    const auto remote = socket.remote_endpoint(error);
    const std::uint32_t count = count_.load(std::memory_order_relaxed);
    if (error || count >= shared_.config.connections_max + kShedMax) return;
    const auto& tls = shared_.config.tls;
    ConnectionInfo peer{remote.address().to_string(), remote.port(), port_, tls != nullptr};
    auto stream = tls ? make_tls_stream(std::move(socket), tls) : make_tcp_stream(std::move(socket));
    auto connection = std::make_shared<Connection>(std::move(stream), std::move(peer), shared_, loop.date);
    Admission admission(shared_from_this(), {connection, &loop});
    auto task = count < shared_.config.connections_max ? Connection::serve(connection) : Connection::shed(connection);
    serving_.spawn(loop.executor, run(std::move(task), std::move(admission)));
  }

  static Task<void> run(Task<void> task, [[maybe_unused]] Admission admission) {
    // What goes wrong with one connection concerns its peer alone.
    (void)co_await std::move(task);
    co_return Result<void>{};
  }

  void close_idle() {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : registry_) {
      asio::post(entry.loop->executor, [weak = entry.connection] {
        if (const auto connection = weak.lock()) connection->stop_if_idle();
      });
    }
  }

  ConnectionShared shared_;
  std::list<Loop> loops_;
  std::optional<tcp::acceptor> acceptor_;
  std::uint16_t port_ = 0;
  std::atomic<std::uint32_t> count_{0};
  std::mutex mutex_;
  Registry registry_;
  Scope accepting_{"http accept"};
  Scope serving_{"http connection"};
};

Server::Server(ServerConfig config, std::vector<Executor> loops, Handler& handler, Clock& clock)
    : impl_(std::make_shared<Impl>(std::move(config), std::move(loops), handler, clock)) {}

Server::~Server() = default;

Result<void> Server::start() {
  return impl_->start();
}

std::uint16_t Server::port() const {
  return impl_->port();
}

Task<void> Server::stop() {
  return Impl::stop(impl_);
}

std::size_t Server::connection_count() const {
  return impl_->connection_count();
}

}  // namespace tombolo::http
