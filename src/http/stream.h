// Stream: a connected byte stream; the seam under which TCP and TLS are.
#pragma once

#include <chrono>
#include <memory>
#include <span>

#include "async/task.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace tombolo::http {

/// A point in the time of Asio's timers.
using Deadline = std::chrono::steady_clock::time_point;
Deadline deadline_after(Duration duration);

/// Who is told once that bytes, or the peer's end, can be read; an error of wait_readable otherwise.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual void wake(Result<void> readable) = 0;
};

/// Belongs to one event loop: everything, destruction included, happens there; one read and no write at a time, or the
/// other way round. Destruction closes. Errors: kDeadline, kCancelled (cancel(), or the task's scope), kUnavailable
/// (the connection is lost). After any of them only shutdown_write(), abort() and destruction are allowed, except that
/// reading may go on after a failed write, and waiting as wait_readable() says.
class Stream {
 public:
  virtual ~Stream() = default;

  /// What comes before the first byte, TLS's handshake, if it has not been done; the other calls do it too.
  virtual Task<void> settle(Deadline until) = 0;
  /// Until bytes or the peer's end can be read; needs no buffer meanwhile. On a settled stream, kDeadline of it ends
  /// nothing: it may be waited for again.
  virtual Task<void> wait_readable(Deadline until) = 0;
  /// The same without a task, for waits that may be long: `sleeper` is told on the loop, or dropped untold when the
  /// loop ends; nothing is waited for meanwhile. Requires that nothing that was received is unread.
  virtual void sleep(Deadline until, std::shared_ptr<Sleeper> sleeper) = 0;
  /// 1 to into.size() bytes, 0 at the peer's orderly end. Requires into to be non-empty.
  virtual Task<std::size_t> read_some(MutableBytes into, Deadline until) = 0;
  /// All of `pieces`, one after the other; at most kPiecesMax, which live until the task has ended. `stall_max` bounds
  /// the time without progress.
  virtual Task<void> write(std::span<const BytesView> pieces, Duration stall_max) = 0;
  static constexpr std::size_t kPiecesMax = 64;

  /// Tells the peer that nothing more comes; reading goes on.
  virtual void shutdown_write() = 0;
  /// Closes so that the peer notices that something is missing (a reset).
  virtual void abort() = 0;
  /// Ends what waits, and the timers behind it.
  virtual void cancel() = 0;
  /// Whether nothing has come since the last read, the end neither: an idle connection that may be used again.
  virtual bool quiet() = 0;
};

}  // namespace tombolo::http
