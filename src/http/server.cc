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
constexpr std::uint32_t kEvictingMax = 256;  // connections past the bound while those that make room are still closing
constexpr std::size_t kIdleBuffersMax = 64;  // 16 MiB
constexpr Duration kAcceptPause = std::chrono::milliseconds(50);  // when the process is out of descriptors
constexpr Duration kEvictPause = std::chrono::milliseconds(1);
constexpr int kEvictTurnsMax = 50;
constexpr Duration kStopPoll = std::chrono::milliseconds(5);
constexpr Duration kWarnEvery = std::chrono::seconds(60);

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
      const Code code = error == asio::error::access_denied ? Code::kPermissionDenied : Code::kUnavailable;
      return Error{code, fmt::format("cannot listen on {}:{}: {}", shared_.config.address, shared_.config.port,
                                     error.message())};
    }
    port_ = acceptor_->local_endpoint().port();
    accepting_.spawn(loops_.front().executor, accept_connections(shared_from_this()));
    return {};
  }

  std::uint16_t port() const { return port_; }
  ServerStats stats() const {
    std::uint64_t evicted = evicted_.load(std::memory_order_relaxed);
    for (const Loop& loop : loops_) evicted += loop.shared.large_heads_evicted.load(std::memory_order_relaxed);
    return {.connections = count_.load(std::memory_order_relaxed),
            .connections_max = shared_.config.connections_max,
            .accepted = accepted_.load(std::memory_order_relaxed),
            .evicted = evicted,
            .shed = shed_.load(std::memory_order_relaxed)};
  }

  static Task<void> stop(std::shared_ptr<Impl> self, std::optional<Duration> given) {
    const Duration grace = given.value_or(self->shared_.config.stop_grace);
    self->shared_.stopping = true;
    CO_TRY(self->accepting_.close());
    self->close_idle();
    for (Duration waited{}; self->count_ > 0 && waited < grace; waited += kStopPoll) {
      CO_TRY(sleep_for(kStopPoll));
    }
    CO_TRY(self->serving_.close());
    // Those that slept were told above, behind what their loops had to do then.
    while (self->count_ > 0) {
      CO_TRY(sleep_for(kStopPoll));
    }
    co_return Result<void>{};
  }

 private:
  struct Loop {
    Loop(Executor given, Clock& clock) : executor(std::move(given)), shared(clock) {}
    const Executor executor;
    LoopShared shared;
    std::atomic<std::uint32_t> count{0};
  };

  struct Entry {
    std::weak_ptr<Connection> connection;
    Loop* loop;
  };
  using Registry = std::list<Entry>;

  // Counts and lists a connection for as long as it lives.
  class Admission {
   public:
    Admission(std::shared_ptr<Impl> owner, Entry entry) : owner_(std::move(owner)) {
      ++entry.loop->count;
      ++owner_->count_;
      const std::lock_guard lock(owner_->mutex_);
      place_ = owner_->registry_.insert(owner_->registry_.end(), std::move(entry));
    }
    Admission(const Admission&) = delete;
    void serve(std::shared_ptr<Connection> connection) {
      owner_->serving_.spawn(place_->loop->executor, Connection::serve(std::move(connection)));
    }
    ~Admission() {
      --place_->loop->count;
      --owner_->count_;
      const std::lock_guard lock(owner_->mutex_);
      owner_->registry_.erase(place_);
    }

   private:
    std::shared_ptr<Impl> owner_;
    Registry::iterator place_;
  };

  // Outlives the connection, which refers to what the owner has.
  struct Admitting {
    std::optional<Admission> admission;
  };
  // Held by its task alone, started or not, or by the wait that it sleeps in.
  class Admitted final : public Admitting, public Connection {
   public:
    using Connection::Connection;

   private:
    void serve_again() override { admission->serve(shared_from_this()); }
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
      CO_TRY(make_room(self));
      if (!error || error == asio::error::would_block || error == asio::error::connection_aborted) continue;
      log(LogLevel::kWarn, "http", "cannot accept: {}", error.message());
      if (error == asio::error::no_descriptors) self->evict(1);
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
    if (error) return;
    ++accepted_;
    const bool served = find_room();
    if (!served) ++shed_;
    if (!served && count_ >= shared_.config.connections_max + kEvictingMax + kShedMax) return;
    const auto& tls = shared_.config.tls;
    ConnectionInfo peer{remote.address().to_string(), remote.port(), port_, tls != nullptr};
    const PaceOptions writes{.stall_max = shared_.config.write_stall_max, .rate_min = shared_.config.rate_min};
    auto stream = tls ? make_tls_stream(std::move(socket), tls, writes) : make_tcp_stream(std::move(socket), writes);
    auto connection = std::make_shared<Admitted>(std::move(stream), std::move(peer), shared_, loop.shared);
    connection->admission.emplace(shared_from_this(), Entry{connection, &loop});
    serving_.spawn(loop.executor, served ? Connection::serve(connection) : Connection::shed(connection));
  }

  // Whether one more connection may be served: there is room, or somebody who can be made to give way.
  bool find_room() {
    const std::uint32_t count = count_.load(std::memory_order_relaxed);
    if (count < shared_.config.connections_max) return true;
    warn_of_fullness();
    return count < shared_.config.connections_max + kEvictingMax && longest_waiting() != nullptr;
  }

  // Holds up accepting until as many connections have given way as were admitted past the bound, if they can.
  static Task<void> make_room(std::shared_ptr<Impl> self) {
    for (int i = 0; i < kEvictTurnsMax; ++i) {
      const std::uint32_t open = self->count_, leaving = self->leaving_, most = self->shared_.config.connections_max;
      if (open <= most) break;
      if (open > most + leaving) self->evict(open - leaving - most);
      CO_TRY(sleep_for(kEvictPause));
      if (self->leaving_ == 0 && self->longest_waiting() == nullptr) break;  // all are busy
    }
    co_return Result<void>{};
  }

  Loop* longest_waiting() {
    Loop* longest = nullptr;
    Deadline since = Deadline::max();
    for (Loop& loop : loops_) {
      if (loop.shared.waiting.oldest() >= since) continue;
      longest = &loop;
      since = loop.shared.waiting.oldest();
    }
    return longest;
  }

  // The longest waiting one, or, where it is about many, the longest waiting ones of each loop.
  void evict(std::uint32_t count) {
    if (count == 1) {
      if (Loop* loop = longest_waiting()) evict(*loop, 1);
      return;
    }
    const auto each = static_cast<std::uint32_t>((count + loops_.size() - 1) / loops_.size());
    for (Loop& loop : loops_) evict(loop, each);
  }

  void evict(Loop& loop, std::uint32_t count) {
    leaving_ += count;
    asio::post(loop.executor, [self = shared_from_this(), &loop, count] {
      std::uint32_t evicted = 0;
      while (evicted < count && loop.shared.waiting.evict_oldest()) ++evicted;
      self->evicted_ += evicted;
      // Behind the end of their waits, which was queued just now.
      asio::post(loop.executor, [self, count] { self->leaving_ -= count; });
    });
  }

  void warn_of_fullness() {
    const Deadline now = deadline_after({});
    if (now < warn_again_) return;
    warn_again_ = now + kWarnEvery;
    log(LogLevel::kWarn, "http",
        "port {}: {} connections are open, the most that are allowed (limits.connections_max): new ones replace idle "
        "ones, or are answered 503 where none is idle",
        port_, shared_.config.connections_max);
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
  std::atomic<std::uint32_t> leaving_{0};  // were told to give way and may still be counted
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> evicted_{0};
  std::atomic<std::uint64_t> shed_{0};
  Deadline warn_again_{};  // used by the accepting task
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

Task<void> Server::stop(std::optional<Duration> grace) {
  return Impl::stop(impl_, grace);
}

ServerStats Server::stats() const {
  return impl_->stats();
}

}  // namespace tombolo::http
