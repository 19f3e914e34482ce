#include "http/client_pool.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <iterator>

#include "base/assert.h"

namespace tombolo::http {

namespace {

/// Each call adds one idle connection at most: so many keep up with what expires.
constexpr int kSweepMax = 4;

}  // namespace

ClientPool::~ClientPool() {
  for (auto& [loop, idle] : idle_) {
    for (Idle& each : idle) {
      const Executor executor = each.connection->executor;
      // Sockets and timers are touched on their loop only; a loop that no longer runs destroys the handler itself.
      boost::asio::post(executor, [last = std::shared_ptr<ClientConnection>(std::move(each.connection))] {});
    }
  }
}

void ClientPool::sweep(const void* loop, Connections& expired) {
  std::list<Idle>& idle = idle_[loop];
  const Deadline now = deadline_after({});
  for (int n = 0; n < kSweepMax && !idle.empty() && idle.front().connection->idle_until < now; ++n) {
    const auto at = endpoints_.find(idle.front().key);
    ASSERT(at != endpoints_.end() && at->second.idle.front() == idle.begin());
    at->second.idle.pop_front();
    if (at->second.used == 0 && at->second.idle.empty()) endpoints_.erase(at);
    expired.push_back(std::move(idle.front().connection));
    idle.pop_front();
  }
}

Result<ClientPool::Lease> ClientPool::lease(EndpointKey key, Want want) {
  // Closed behind the lock.
  Connections stale;
  const Deadline now = deadline_after({});
  const std::lock_guard lock(mutex_);
  sweep(key.loop, stale);
  std::list<Idle>& idle = idle_[key.loop];
  Endpoint& endpoint = endpoints_[key];
  if (endpoint.used >= config_.connections_max) {
    return Error{Code::kBusy,
                 fmt::format("{} connections to {}:{} are in use; try again later", endpoint.used, key.host, key.port)};
  }
  ++endpoint.used;
  Lease lease(shared_from_this(), std::move(key));
  while (want == Want::kAny && !endpoint.idle.empty() && !lease.connection) {
    auto connection = std::move(endpoint.idle.back()->connection);
    idle.erase(endpoint.idle.back());
    endpoint.idle.pop_back();
    const bool alive = connection->idle_until > now && connection->stream->quiet();
    (alive ? lease.connection : stale.emplace_back()) = std::move(connection);
  }
  return lease;
}

void ClientPool::release(const EndpointKey& key, std::unique_ptr<ClientConnection> reusable) {
  Connections surplus;
  const std::lock_guard lock(mutex_);
  sweep(key.loop, surplus);
  const auto at = endpoints_.find(key);
  ASSERT(at != endpoints_.end() && at->second.used > 0);
  Endpoint& endpoint = at->second;
  --endpoint.used;
  if (reusable && endpoint.idle.size() < config_.idle_connections_max) {
    reusable->stream->cancel();
    reusable->input.release_if_empty();
    reusable->idle_until = deadline_after(config_.idle_max);
    std::list<Idle>& idle = idle_[key.loop];
    idle.push_back({.key = key, .connection = std::move(reusable)});
    endpoint.idle.push_back(std::prev(idle.end()));
  }
  if (endpoint.used == 0 && endpoint.idle.empty()) endpoints_.erase(at);
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
