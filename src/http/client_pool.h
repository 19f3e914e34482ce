// ClientPool: the client's connections, in use and idle, by event loop and endpoint.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/client.h"
#include "http/input_buffer.h"
#include "http/stream.h"

namespace tombolo::http {

/// A connection never leaves its event loop: `loop` identifies the loop.
struct EndpointKey {
  const void* loop = nullptr;
  std::string host;
  std::uint16_t port = 0;
  std::string tls_name;  // a peer that was verified under one name is not verified under another
  friend auto operator<=>(const EndpointKey&, const EndpointKey&) = default;
};

struct ClientConnection {
  std::unique_ptr<Stream> stream;
  InputBuffer input;
  Executor executor;
  Deadline idle_until;  // while idle
};

/// Thread-safe; made by make_shared. The loops that used it outlive it.
class ClientPool : public std::enable_shared_from_this<ClientPool> {
 public:
  explicit ClientPool(const ClientConfig& config) : config_(config) {}
  /// Idle connections are closed on their own loops.
  ~ClientPool();
  ClientPool(const ClientPool&) = delete;

  /// The right to one connection of an endpoint, and the connection once there is one. Used and destroyed on the loop.
  class Lease {
   public:
    Lease() = default;
    Lease(std::shared_ptr<ClientPool> pool, EndpointKey key) : pool_(std::move(pool)), key_(std::move(key)) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&& other) noexcept {
      close();
      pool_ = std::move(other.pool_);
      key_ = std::move(other.key_);
      connection = std::move(other.connection);
      return *this;
    }
    ~Lease() { close(); }

    /// Keeps the connection for the next request, where there is room. Requires it to be in good order.
    void give_back();
    /// Closes the connection. May be repeated.
    void close();

    std::unique_ptr<ClientConnection> connection;

   private:
    std::shared_ptr<ClientPool> pool_;
    EndpointKey key_;
  };

  enum class Want { kAny, kFresh };
  /// With an idle connection that still looks alive, where there is one and `want` allows it. kBusy past
  /// connections_max. Called on the loop of `key`. Like the end of a lease it closes a few connections of the loop that
  /// were idle for too long, whatever their endpoints: an address that a name has left is never asked for again.
  Result<Lease> lease(EndpointKey key, Want want);

 private:
  using Connections = std::vector<std::unique_ptr<ClientConnection>>;
  struct Idle {
    EndpointKey key;
    std::unique_ptr<ClientConnection> connection;
  };
  struct Endpoint {
    std::uint32_t used = 0;
    std::deque<std::list<Idle>::iterator> idle;  // the most recently used last
  };

  /// Requires the mutex.
  void sweep(const void* loop, Connections& expired);
  void release(const EndpointKey& key, std::unique_ptr<ClientConnection> reusable);

  const ClientConfig config_;
  std::mutex mutex_;
  std::map<EndpointKey, Endpoint> endpoints_;    // that have a connection, in use or idle
  std::map<const void*, std::list<Idle>> idle_;  // by loop, in the order in which they expire
};

}  // namespace tombolo::http
