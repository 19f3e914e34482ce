// Server: accepts connections, spreads them over event loops, runs a Handler for each request.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "http/exchange.h"
#include "http/tls.h"

namespace tombolo::http {

struct ServerConfig {
  std::string address = "127.0.0.1";  // IP to listen on
  std::uint16_t port = 0;             // 0: the kernel picks a free one
  // Longest time for a whole head, from its first byte (for a connection's first head, from the connection). 408.
  Duration head_time_max = std::chrono::seconds(30);
  Duration body_stall_max = std::chrono::seconds(60);   // longest wait for the next bytes of a request body
  Duration write_stall_max = std::chrono::seconds(60);  // longest wait for a client to take more of an answer
  // Bytes a second that a client must send of a body, or take of an answer, on average (pace.h); 0: any. Modest: a
  // client that spreads a slow line over many connections is welcome.
  std::uint64_t rate_min = 512;
  // How long a connection may be silent between requests. AzCopy keeps idle connections for 180 s: stay above.
  Duration keep_alive_max = std::chrono::seconds(300);
  Duration stop_grace = std::chrono::seconds(30);  // how long stop() lets running exchanges go on
  // Of all loops together. At the bound a new connection takes the place of the one that has waited longest without a
  // request under way (idle, or in the middle of a head); where all are busy, the new one is answered 503 and closed.
  std::uint32_t connections_max = 16'000;
  // Unread request body that is read and dropped before an answer, and for how long at most. Past either the answer is
  // sent at once and the connection closed.
  std::uint64_t drain_bytes_max = 256 * kMiB;
  Duration drain_time_max = std::chrono::seconds(30);
  std::shared_ptr<TlsServer> tls = nullptr;  // nullptr: plain. A handshake may take head_time_max
};

/// Since start, but for `connections`.
struct ServerStats {
  std::size_t connections = 0;        // open now
  std::uint32_t connections_max = 0;  // ServerConfig's
  std::uint64_t accepted = 0;
  std::uint64_t evicted = 0;  // made to give way to newer ones, of all or of those with large heads (large_head.h)
  std::uint64_t shed = 0;     // answered 503, or closed without a word
};

/// start() once, stop() once (required after a successful start, before destruction). Thread-safe after start().
class Server {
 public:
  /// `loops`: one executor per event loop, each run by one thread; not empty. `handler` and `clock` (for the Date
  /// header) outlive the server.
  Server(ServerConfig config, std::vector<Executor> loops, Handler& handler, Clock& clock);
  ~Server();
  Server(const Server&) = delete;

  /// Binds and starts accepting. kInvalid for a bad address; kPermissionDenied where this user may not bind the port
  /// (one below 1024); kUnavailable when it cannot be bound.
  Result<void> start();
  /// The port in use; 0 before start().
  std::uint16_t port() const;
  /// Stops accepting, closes idle connections, waits for running exchanges (they are answered with "Connection:
  /// close"), cancels what is left after `grace`, or stop_grace. Work that cannot be cancelled is waited for.
  Task<void> stop(std::optional<Duration> grace = std::nullopt);
  ServerStats stats() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tombolo::http
