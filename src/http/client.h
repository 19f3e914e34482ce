// Client: sends requests over pooled keep-alive connections.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "async/byte_stream.h"
#include "base/clock.h"
#include "http/message.h"
#include "http/tls.h"

namespace tombolo::http {

struct ClientConfig {
  // One TCP connect, and as long once more for a TLS handshake (name look-up apart: it cannot be cancelled).
  Duration connect_max = std::chrono::seconds(5);
  Duration first_byte_max = std::chrono::seconds(60);  // from the last byte sent to the whole head of the answer
  Duration stall_max = std::chrono::seconds(30);       // without progress while a body goes either way
  std::uint64_t rate_min = 0;  // bytes a second that the body of an answer comes with on average; 0: any
  Duration idle_max = std::chrono::seconds(60);    // a connection unused for so long is closed by later requests
  std::uint32_t connections_max = 256;             // in use at once per endpoint and event loop; past it kBusy
  std::uint32_t idle_connections_max = 32;         // kept per endpoint and event loop
  std::shared_ptr<const TlsClient> tls = nullptr;  // whom requests with a tls_name trust
};

/// Name it before sending it: GCC 12 destroys a brace-initialised one that is written inside a
/// co_await expression twice.
struct Request {
  std::string host = {};  // name or IP literal (IPv6 without brackets)
  std::uint16_t port = 80;
  /// Empty: plain HTTP. Otherwise TLS, with a peer that shows a certificate for this name or IP literal, whatever
  /// `host` is. Requires ClientConfig::tls.
  std::string tls_name = {};
  std::string method = "GET";
  std::string target = "/";  // origin form, already encoded
  Headers headers = {};      // Host (added when absent) and anything but Content-Length, Transfer-Encoding, Connection
  ByteSource* body = nullptr;   // nullptr: none. Outlives the call of send()
  std::uint64_t body_size = 0;  // exactly what `body` gives; a source that gives another amount fails the request
};

/// Error::detail where no connection could be made: nothing was sent.
inline constexpr std::string_view kNotConnected = "not_connected";

/// Destroyed on the event loop that sent the request, like `body`.
struct Response {
  ResponseHead head;
  /// Never null. Exactly the framed body: next() fails with kUnavailable when the peer ends it early (detail
  /// "body_incomplete" or "connection_lost"), kDeadline "body_stalled". At its end the connection goes back to the
  /// pool; dropped before, the connection is closed.
  std::unique_ptr<ByteSource> body;
  /// Bytes that the body will have: empty for a chunked one.
  std::optional<std::uint64_t> content_length;
};

/// Thread-safe: each call runs on the caller's event loop (one thread each), and connections never move between loops.
/// Destroyed before the loops that used it. Redirects are answers like others. Nothing is retried but: a pooled
/// connection that turns out dead before any byte of the answer, for GET, HEAD, PUT, DELETE, OPTIONS, as long as no
/// byte of `body` was taken.
class Client {
 public:
  explicit Client(ClientConfig config = {});
  ~Client();
  Client(const Client&) = delete;

  /// Errors: kUnavailable and kDeadline (cannot connect: kNotConnected; connection lost, malformed answer: `detail` is
  /// the Failure's name), kPermissionDenied "tls_not_trusted" (the peer's certificate), kBusy (connections_max),
  /// kInvalid (a head that must not be sent), or what `body` failed with. An answer that comes before the body was
  /// taken whole is returned; its connection is not used again. Cancellable.
  Task<Response> send(Request request);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tombolo::http
