// Connection: the server's side of one connection, request after request.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "http/body_reader.h"
#include "http/exchange.h"
#include "http/large_head.h"
#include "http/request_parser.h"
#include "http/server.h"
#include "http/waiting_list.h"

namespace tombolo::http {

/// The Date header's value, rendered once a second. Used on one event loop.
class DateCache {
 public:
  explicit DateCache(Clock& clock) : clock_(clock) {}
  std::string_view now();

 private:
  Clock& clock_;
  std::int64_t second_ = -1;
  std::string text_;
};

/// What the connections of a server share; outlives them.
struct ConnectionShared {
  const ServerConfig config;
  Handler& handler;
  BufferPool buffers;
  std::atomic<bool> stopping{false};
};

/// What those of one event loop share; outlives them.
struct LoopShared {
  explicit LoopShared(Clock& clock) : date(clock) {}
  DateCache date;
  WaitingList waiting;
  WaitingList large_heads;
  std::atomic<std::uint64_t> large_heads_evicted{0};
};

/// Lives and is used on its stream's event loop.
class Connection : public WaitingList::Waiter, public Sleeper, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::unique_ptr<Stream> stream, ConnectionInfo peer, ConnectionShared& shared, LoopShared& loop);

  /// Until either side closes. Never an error: what goes wrong concerns this peer alone.
  /// When a connection has been idle for a while, the task ends and the connection sleeps: it lives on by itself, and
  /// serve_again() is called when there is something to read.
  static Task<void> serve(std::shared_ptr<Connection> self);
  /// Answers 503 and closes. Never an error either.
  static Task<void> shed(std::shared_ptr<Connection> self);
  /// Closes when no request is under way; otherwise the running one is the last (ConnectionShared::stopping).
  void stop_if_idle();

 protected:
  /// Spawns serve().
  virtual void serve_again() = 0;

 private:
  friend class ServerExchange;

  void give_way() override { stream_->cancel(); }
  // One of those of the loop, where the head of the running request, or what came behind it, is large.
  void enter_if_large(std::optional<LargeHead>& stay);
  void wake(Result<void> readable) override;
  // Waits for a head's first byte. False: the task is at its end, asleep or closing.
  Task<bool> wait_for_head(Duration idle_max);

  // The next request; whether another may follow.
  Task<bool> serve_request();
  // nullopt: there is none, and everything to say about it was said.
  Task<std::optional<RequestHead>> read_head();
  // One request; whether another may follow.
  Task<bool> run_exchange(RequestHead head);
  Task<void> refuse(Failure failure, bool to_head);
  // Lets the peer read the last answer: closing with unread bytes would reset the connection under it.
  // At most `bytes_max` of them are read and dropped.
  Task<void> linger(std::uint64_t bytes_max);

  const std::unique_ptr<Stream> stream_;
  const ConnectionInfo peer_;
  ConnectionShared& shared_;
  LoopShared& loop_;
  InputBuffer input_;
  bool large_head_ = false;  // of the running request
  bool idle_ = false;
  bool woken_ = false;                     // by something to read
  std::optional<WaitingList::Stay> stay_;  // from the wait for a head on, until the head is there
};

}  // namespace tombolo::http
