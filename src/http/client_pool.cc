#include "http/client_pool.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>

namespace tombolo::http {

ClientPool::~ClientPool() {
  for (auto& [key, endpoint] : endpoints_) {
    for (auto& connection : endpoint.idle) {
      const Executor executor = connection->executor;
      // Sockets and timers are touched on their loop only; a loop that no longer runs destroys the handler itself.
      boost::asio::post(executor, [last = std::shared_ptr<ClientConnection>(std::move(connection))] {});
    }
  }
}

Result<ClientPool::Lease> ClientPool::lease(EndpointKey key, Want want) {
  // Closed behind the lock.
  std::vector<std::unique_ptr<ClientConnection>> stale;
  const Deadline now = deadline_after({});
  const std::lock_guard lock(mutex_);
  Endpoint& endpoint = endpoints_[key];
  if (endpoint.used >= config_.connections_max) {
    return Error{Code::kBusy,
                 fmt::format("{} connections to {}:{} are in use; try again later", endpoint.used, key.host, key.port)};
  }
  ++endpoint.used;
  Lease lease(shared_from_this(), std::move(key));
  while (want == Want::kAny && !endpoint.idle.empty() && !lease.connection) {
    auto connection = std::move(endpoint.idle.back());
    endpoint.idle.pop_back();
    const bool alive = connection->idle_until > now && connection->stream->quiet();
    (alive ? lease.connection : stale.emplace_back()) = std::move(connection);
  }
  return lease;
}

void ClientPool::release(const EndpointKey& key, std::unique_ptr<ClientConnection> reusable) {
  std::vector<std::unique_ptr<ClientConnection>> surplus;
  const std::lock_guard lock(mutex_);
  Endpoint& endpoint = endpoints_[key];
  --endpoint.used;
  if (reusable && endpoint.idle.size() < config_.idle_connections_max) {
    reusable->stream->cancel();
    reusable->input.release_if_empty();
    reusable->idle_until = deadline_after(config_.idle_max);
    endpoint.idle.push_back(std::move(reusable));
  }
  // The oldest first: a connection that was not needed for so long is not needed.
  const Deadline now = deadline_after({});
  while (!endpoint.idle.empty() && endpoint.idle.front()->idle_until < now) {
    surplus.push_back(std::move(endpoint.idle.front()));
    endpoint.idle.erase(endpoint.idle.begin());
  }
  if (endpoint.used == 0 && endpoint.idle.empty()) endpoints_.erase(key);
}

void ClientPool::Lease::give_back() {
  if (!pool_) return;
  const auto pool = std::move(pool_);
  pool->release(key_, std::move(connection));
}

void ClientPool::Lease::close() {
  connection.reset();
  give_back();
}

}  // namespace tombolo::http
