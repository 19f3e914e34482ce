// Server: accepts connections, spreads them over event loops, runs a Handler for each request.
#pragma once

#include <cstdint>
#include <memory>
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
  // How long a connection may be silent between requests. AzCopy keeps idle connections for 180 s: stay above.
  Duration keep_alive_max = std::chrono::seconds(300);
  Duration stop_grace = std::chrono::seconds(30);  // how long stop() lets running exchanges go on
  std::uint32_t connections_max = 10'000;          // of all loops together; the newest is answered 503 and closed
  std::uint64_t drain_bytes_max = 256 * kMiB;      // unread request body that is read and dropped before an answer
  std::shared_ptr<TlsServer> tls = nullptr;        // nullptr: plain. A handshake may take head_time_max
};

/// start() once, stop() once (required after a successful start, before destruction). Thread-safe after start().
class Server {
 public:
  /// `loops`: one executor per event loop, each run by one thread; not empty. `handler` and `clock` (for the Date
  /// header) outlive the server.
  Server(ServerConfig config, std::vector<Executor> loops, Handler& handler, Clock& clock);
  ~Server();
  Server(const Server&) = delete;

  /// Binds and starts accepting. kInvalid for a bad address; kUnavailable when the port cannot be bound.
  Result<void> start();
  /// The port in use; 0 before start().
  std::uint16_t port() const;
  /// Stops accepting, closes idle connections, waits for running exchanges (they are answered with "Connection:
  /// close"), cancels what is left after stop_grace. Work that cannot be cancelled is waited for.
  Task<void> stop();
  std::size_t connection_count() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tombolo::http
