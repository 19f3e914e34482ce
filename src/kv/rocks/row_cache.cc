#include "kv/rocks/row_cache.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <list>
#include <mutex>

namespace tombolo::kv {

namespace {

constexpr std::size_t kShards = 16;
constexpr std::size_t kEntryOverheadBytes = 224;  // list and map nodes, control block, headers of the allocator
constexpr std::uint64_t kEntryShareMax = 16;      // no row takes more than this part of a shard

/// A key and its hash, which is computed once.
struct Probe {
  std::string_view key;
  std::size_t hash;
  explicit Probe(std::string_view given) : key(given), hash(std::hash<std::string_view>()(given)) {}
  friend bool operator==(const Probe& a, const Probe& b) { return a.hash == b.hash && a.key == b.key; }
};
struct HashOf {
  // The low bits chose the shard.
  std::size_t operator()(const Probe& probe) const { return probe.hash / kShards; }
};

}  // namespace

/// One lock's share: a queue with second chances (CLOCK).
struct RowCache::Shard {
  struct Entry {
    std::string key;
    std::shared_ptr<const std::string> value;
    std::uint64_t since = 0;
    bool met = false;  // found since it was at the front
    std::uint64_t cost() const { return key.size() + value->size() + kEntryOverheadBytes; }
  };
  using Queue = std::list<Entry>;

  explicit Shard(std::uint64_t given_bytes_max) : bytes_max(given_bytes_max) {}

  void drop(Queue::iterator entry) {
    bytes -= entry->cost();
    index.erase(Probe(entry->key));
    queue.erase(entry);
  }
  void evict_one() {
    const auto oldest = std::prev(queue.end());
    if (!oldest->met) return drop(oldest);
    oldest->met = false;
    queue.splice(queue.begin(), queue, oldest);
  }

  const std::uint64_t bytes_max;
  std::mutex mutex;
  Queue queue;
  boost::unordered_flat_map<Probe, Queue::iterator, HashOf> index;  // views into the entries
  std::uint64_t bytes = 0;
  std::uint64_t changed_in = 0;  // the last state that changed any row of this shard
};

RowCache::RowCache(std::uint64_t bytes_max) {
  for (std::size_t n = 0; n < kShards; ++n) shards_.push_back(std::make_unique<Shard>(bytes_max / kShards));
}

RowCache::~RowCache() = default;

std::shared_ptr<const std::string> RowCache::find(std::string_view key, std::uint64_t at) {
  const Probe probe(key);
  Shard& shard = shard_of(probe.hash);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.index.find(probe);
  if (found == shard.index.end() || found->second->since > at) return nullptr;
  found->second->met = true;
  return found->second->value;
}

void RowCache::insert(std::string_view key, std::string_view value, std::uint64_t at) {
  const Probe probe(key);
  Shard& shard = shard_of(probe.hash);
  Shard::Entry entry{.key = std::string(key), .value = std::make_shared<const std::string>(value), .since = at};
  if (entry.cost() > shard.bytes_max / kEntryShareMax) return;
  const std::lock_guard lock(shard.mutex);
  // Whatever changed since may have been this row: its old value must not come back.
  if (shard.changed_in > at || shard.index.contains(probe)) return;
  shard.queue.push_front(std::move(entry));
  shard.bytes += shard.queue.front().cost();
  shard.index.emplace(Probe(shard.queue.front().key), shard.queue.begin());
  while (shard.bytes > shard.bytes_max) shard.evict_one();
}

void RowCache::changed(std::string_view key, std::uint64_t in) {
  const Probe probe(key);
  Shard& shard = shard_of(probe.hash);
  const std::lock_guard lock(shard.mutex);
  shard.changed_in = std::max(shard.changed_in, in);
  if (const auto found = shard.index.find(probe); found != shard.index.end()) shard.drop(found->second);
}

}  // namespace tombolo::kv
