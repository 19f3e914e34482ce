#include "http/connection.h"

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "base/log.h"
#include "base/times.h"
#include "base/units.h"
#include "http/serialize.h"
#include "http/server_exchange.h"

namespace tombolo::http {
namespace {

constexpr Duration kLingerMax = std::chrono::seconds(2);
constexpr Duration kLingerStoppingMax = std::chrono::milliseconds(200);
constexpr std::uint64_t kLingerBytesMax = 16 * kMiB;        // behind an answered request: the rest of a block
constexpr std::uint64_t kRefusedLingerBytesMax = 1 * kMiB;  // behind what was no request: nobody is owed more

// Idle for so long, a connection is likely to stay so: what its tasks hold is more than what is left of it then.
constexpr Duration kSleepAfter = std::chrono::milliseconds(500);

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

}  // namespace

std::string_view DateCache::now() {
  const WallTime time = clock_.wall();
  if (const std::int64_t second = time.micros / kMicrosPerSecond; second != second_) {
    second_ = second;
    text_ = http_date(time);
  }
  return text_;
}

Connection::Connection(std::unique_ptr<Stream> stream, ConnectionInfo peer, ConnectionShared& shared, LoopShared& loop)
    : stream_(std::move(stream)), peer_(std::move(peer)), shared_(shared), loop_(loop) {}

Task<void> Connection::serve(std::shared_ptr<Connection> self) {
  // A connection that has never spoken gets no longer than a head may take.
  Duration idle_max = self->shared_.config.head_time_max;
  while (true) {
    if (self->input_.empty()) {
      const auto there = co_await self->wait_for_head(idle_max);
      if (!there.ok() || !*there) co_return Result<void>{};
    }
    const auto again = co_await self->serve_request();
    if (!again.ok() || !*again) co_return Result<void>{};
    idle_max = self->shared_.config.keep_alive_max;
  }
}

Task<bool> Connection::wait_for_head(Duration idle_max) {
  if (std::exchange(woken_, false)) co_return true;
  input_.release_if_empty();
  if (shared_.stopping.load(std::memory_order_relaxed)) co_return false;
  stay_.emplace(loop_.waiting, *this);
  idle_ = true;
  const Deadline until = deadline_after(idle_max);
  auto readable = co_await stream_->settle(until);
  if (readable.ok()) readable = co_await stream_->wait_readable(std::min(until, deadline_after(kSleepAfter)));
  const bool still_idle = !readable.ok() && readable.error().code == Code::kDeadline && deadline_after({}) < until;
  if (still_idle && !shared_.stopping.load(std::memory_order_relaxed)) {
    stream_->sleep(until, shared_from_this());
    co_return false;
  }
  idle_ = false;
  co_return readable.ok();
}

void Connection::wake(Result<void> readable) {
  idle_ = false;
  if (!readable.ok()) return;  // nobody holds it any more: it closes
  woken_ = true;
  serve_again();
}

Task<bool> Connection::serve_request() {
  CO_TRY_ASSIGN(std::optional<RequestHead> head, read_head());
  if (!head) co_return false;
  co_return co_await run_exchange(*std::move(head));
}

Task<void> Connection::shed(std::shared_ptr<Connection> self) {
  (void)co_await self->refuse(Failure::kOverloaded, false);
  co_return Result<void>{};
}

void Connection::enter_if_large(std::optional<LargeHead>& stay) {
  if (!large_head_ && input_.capacity() <= kSmallHead) return;
  stay.emplace(loop_.large_heads, *stream_, loop_.large_heads_evicted);
}

void Connection::stop_if_idle() {
  if (idle_) stream_->cancel();
}

Task<std::optional<RequestHead>> Connection::read_head() {
  const Deadline until = deadline_after(shared_.config.head_time_max);
  RequestParser parser;
  std::optional<LargeHead> large;
  // Nothing of the head is held while it is refused: that waits for the peer too.
  const auto refused = [this, &parser](Failure failure) {
    const bool to_head = parser.is_head();
    parser = RequestParser();
    return refuse(failure, to_head);
  };
  while (true) {
    if (!input_.empty()) {
      const auto progress = parser.advance(input_.text());
      if (!progress) {
        stay_.reset();
        large.reset();
        CO_TRY(refused(progress.error()));
        co_return std::nullopt;
      }
      if (*progress == Progress::kDone) {
        stay_.reset();
        large_head_ = parser.head_size() >= kSmallHead;
        input_.take(parser.head_size());
        co_return std::optional<RequestHead>(parser.take());
      }
    }
    if (large && large->ended()) {
      stay_.reset();
      co_return std::nullopt;
    }
    if (!stay_) stay_.emplace(loop_.waiting, *this);
    if (!large && input_.bytes().size() >= kSmallHead) {
      large.emplace(loop_.large_heads, *stream_, loop_.large_heads_evicted);
    }
    const auto n = co_await stream_->read_some(input_.room(), until);
    if (n.ok() && *n > 0) {
      input_.added(*n);
      continue;
    }
    stay_.reset();
    large.reset();
    // An end inside a head, or a lost connection: nobody is there to be told.
    if (!n.ok() && n.error().code == Code::kDeadline) {
      CO_TRY(refused(Failure::kHeadStalled));
    }
    co_return std::nullopt;
  }
}

Task<bool> Connection::run_exchange(RequestHead head) {
  const bool to_head = head.method == "HEAD";
  std::optional<ServerExchange> running(std::in_place, *this, std::move(head));
  ServerExchange& exchange = *running;
  const auto what = [&exchange] { return fmt::format("{} {}", exchange.head().method, exchange.head().path()); };
  Result<void> handled;
  bool thrown = false;
  try {
    handled = co_await shared_.handler.handle(exchange);
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::operation_aborted) throw;
    handled = Error{Code::kInternal, error.what()};
    thrown = true;
  } catch (const std::exception& error) {
    handled = Error{Code::kInternal, error.what()};
    thrown = true;
  }
  if (exchange.complete() && handled.ok() && exchange.reusable()) co_return true;
  // It gave way while the rest of its body was waited for.
  if (!exchange.responded() && !handled.ok() && handled.error().code == Code::kCancelled) co_return false;
  if (exchange.responded() && !exchange.complete()) {
    // A client that went away is its own business; anything else is worth a line.
    const bool gone =
        !handled.ok() && (handled.error().code == Code::kUnavailable || handled.error().code == Code::kDeadline ||
                          handled.error().code == Code::kCancelled);
    log(gone ? LogLevel::kDebug : LogLevel::kError, "http", "{}: the answer was cut: {}", what(),
        handled.ok() ? std::string("no error") : to_string(handled.error()));
    stream_->abort();
    co_return false;
  }
  if (thrown || !exchange.responded()) {
    log(LogLevel::kError, "http", "{}: {}", what(),
        handled.ok() ? std::string("the handler gave no answer") : to_string(handled.error()));
  }
  const bool responded = exchange.responded();
  running.reset();  // its head is not held while the peer is waited for
  if (!responded) {
    CO_TRY(refuse(Failure::kHandlerFailed, to_head));
    co_return false;
  }
  CO_TRY(linger(kLingerBytesMax));
  co_return false;
}

Task<void> Connection::refuse(Failure failure, bool to_head) {
  input_.take(input_.bytes().size());
  Refusal refusal = shared_.handler.refuse(failure);
  const ResponseExtras extras{.date = loop_.date.now(), .content_length = refusal.body.size(), .close = true};
  CO_CHECK_ASSIGN(const std::string text, render(refusal.head, extras));
  const BytesView pieces[] = {as_bytes(text), to_head ? BytesView() : refusal.body.view()};
  CO_TRY(stream_->write(pieces, shared_.config.write_stall_max));
  co_return co_await linger(kRefusedLingerBytesMax);
}

Task<void> Connection::linger(std::uint64_t bytes_max) {
  stream_->shutdown_write();
  const WaitingList::Stay stay(loop_.waiting, *this);
  const bool stopping = shared_.stopping.load(std::memory_order_relaxed);
  const Deadline until = deadline_after(stopping ? kLingerStoppingMax : kLingerMax);
  input_.take(input_.bytes().size());
  for (std::uint64_t dropped = 0; dropped < bytes_max;) {
    CO_TRY_ASSIGN(const std::size_t n, stream_->read_some(input_.room(), until));
    if (n == 0) break;
    dropped += n;
  }
  co_return Result<void>{};
}

}  // namespace tombolo::http
