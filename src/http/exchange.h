// Exchange: one request and its one answer. Handler: who gives it.
#pragma once

#include <cstdint>
#include <string>

#include "async/byte_stream.h"
#include "http/failure.h"
#include "http/message.h"

namespace tombolo::http {

struct ConnectionInfo {
  std::string peer_address;  // IP, textual
  std::uint16_t peer_port = 0;
  std::uint16_t local_port = 0;
  bool tls = false;
};

/// Lives while Handler::handle runs, on one event loop. Exactly one respond call may succeed. An error out of respond
/// with responded() still false means that nothing was sent: answer something else. With responded() true the
/// connection is gone: return the error.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const RequestHead& head() const = 0;
  virtual const ConnectionInfo& connection() const = 0;

  /// The body by Content-Length or chunked, decoded; empty at once when there is none. The first next() answers
  /// "Expect: 100-continue". Errors carry Failure names as detail: kInvalid "bad_chunk", "chunk_extension",
  /// "bad_trailer", "body_incomplete"; kDeadline "body_stalled"; kUnavailable "connection_lost". After one an answer
  /// may still be sent; then the connection is closed.
  virtual ByteSource& body() = 0;
  /// The answer shall not wait for the rest of the body: more of it than kAbandonedMax closes the connection after the
  /// answer. For requests that are turned away so that others are served.
  virtual void abandon_body() = 0;
  static constexpr std::uint64_t kAbandonedMax = 64 * 1024;

  // Each respond first reads the rest of the request's body and drops it (up to ServerConfig::drain_bytes_max and
  // drain_time_max, past which the connection is closed after the answer), because clients that are answered early
  // while they send break.
  // To a HEAD request all of them send Content-Length and no body; 204 and 304 have neither.

  // GCC 12 destroys a brace-initialised head twice when it is written inside the co_await expression: name it first,
  // `ResponseHead head{.status = 404}; co_return co_await exchange.respond(std::move(head), …);`.

  /// One write for head and body.
  virtual Task<void> respond(ResponseHead head, Block body) = 0;
  /// Streams exactly `length` bytes. The first block is pulled before anything is sent: an error of it leaves
  /// responded() false. A source that fails later, ends early or goes on behind `length` aborts the connection before
  /// the last block is sent: the client never takes a short or failed body for a complete one.
  virtual Task<void> respond(ResponseHead head, ByteSource& body, std::uint64_t length) = 0;
  /// Requires a HEAD request: Content-Length tells of a body of `length` bytes, none is sent.
  virtual Task<void> respond_head_only(ResponseHead head, std::uint64_t length) = 0;

  virtual bool responded() const = 0;
};

/// An answer that http gives by itself.
struct Refusal {
  ResponseHead head;
  Block body;
};

/// Plain text: the failure's sentence.
Refusal plain_refusal(Failure failure);

/// Outlives the server; called on all of its event loops at once.
class Handler {
 public:
  virtual ~Handler() = default;
  /// Called once per well-framed request. An exception, an error, or no answer at its end is answered by
  /// refuse(kHandlerFailed) where nothing was sent, and closes the connection; exceptions and such errors are logged.
  virtual Task<void> handle(Exchange& exchange) = 0;
  /// How a request that http refuses looks on the wire (dialects word their own). "Connection: close" is added.
  virtual Refusal refuse(Failure failure) { return plain_refusal(failure); }
};

}  // namespace tombolo::http
