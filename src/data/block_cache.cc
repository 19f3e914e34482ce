#include "data/block_cache.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <list>
#include <mutex>
#include <utility>

namespace tombolo::data {

namespace {

constexpr std::size_t kInsertBytesMax = 64 * 1024;
constexpr std::uint64_t kEntryOverheadBytes = 192;  // list and map nodes, control block
constexpr std::uint64_t kSmallPercent = 10;
constexpr std::uint8_t kFrequencyMax = 3;

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

struct KeyHash {
  std::size_t operator()(const GranuleKey& key) const {
    return mix(mix(key.tenant.value + 0x9E3779B97F4A7C15ULL * key.gen.value) ^ key.gen_offset);
  }
};

}  // namespace

/// One lock's share. Three FIFO queues (S3-FIFO): `small` for newcomers, `main` for those met again, `ghost` for keys
/// that fell out of small and are admitted to main at once if they come back.
struct BlockCache::Shard {
  struct Entry {
    GranuleKey key;
    Block block;
    std::uint8_t frequency = 0;
    std::uint64_t cost() const { return block.size() + kEntryOverheadBytes; }
  };
  using Queue = std::list<Entry>;

  explicit Shard(std::uint64_t given_bytes_max) : bytes_max(given_bytes_max) {}

  void evict_one() {
    const bool from_small = !small.empty() && (small_bytes * 100 >= bytes_max * kSmallPercent || main.empty());
    from_small ? evict_small() : evict_main();
  }

  void evict_small() {
    Entry& oldest = small.back();
    small_bytes -= oldest.cost();
    if (oldest.frequency > 0) {  // met again while it was new
      main_bytes += oldest.cost();
      oldest.frequency = 0;
      main.splice(main.begin(), small, std::prev(small.end()));
      return;
    }
    remember(oldest.key);
    drop(small);
  }

  void evict_main() {
    Entry& oldest = main.back();
    if (oldest.frequency > 0) {
      --oldest.frequency;
      main.splice(main.begin(), main, std::prev(main.end()));
      return;
    }
    main_bytes -= oldest.cost();
    drop(main);
  }

  void drop(Queue& queue) {
    index.erase(queue.back().key);
    queue.pop_back();
    ++stats.evictions;
  }

  void remember(const GranuleKey& key) {
    ghost.push_front(key);
    ghost_index[key] = ghost.begin();
    // As many ghosts as there are granules in main: no more would be worth admitting.
    while (ghost.size() > std::max<std::size_t>(index.size(), 16)) {
      ghost_index.erase(ghost.back());
      ghost.pop_back();
    }
  }

  bool forget(const GranuleKey& key) {
    const auto found = ghost_index.find(key);
    if (found == ghost_index.end()) return false;
    ghost.erase(found->second);
    ghost_index.erase(found);
    return true;
  }

  const std::uint64_t bytes_max;
  std::mutex mutex;
  Queue small, main;
  std::uint64_t small_bytes = 0, main_bytes = 0;
  boost::unordered_flat_map<GranuleKey, Queue::iterator, KeyHash> index;
  std::list<GranuleKey> ghost;
  boost::unordered_flat_map<GranuleKey, std::list<GranuleKey>::iterator, KeyHash> ghost_index;
  Stats stats;
};

BlockCache::BlockCache(BlockCacheConfig config) {
  const std::uint32_t shards = std::max<std::uint32_t>(config.shards, 1);
  for (std::uint32_t n = 0; n < shards; ++n) shards_.push_back(std::make_unique<Shard>(config.bytes_max / shards));
}

BlockCache::~BlockCache() = default;

BlockCache::Shard& BlockCache::shard_of(const GranuleKey& key) {
  return *shards_[(KeyHash{}(key) >> 40) % shards_.size()];
}

std::optional<Block> BlockCache::find(const GranuleKey& key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.index.find(key);
  if (found == shard.index.end()) {
    ++shard.stats.misses;
    return std::nullopt;
  }
  ++shard.stats.hits;
  Shard::Entry& entry = *found->second;
  entry.frequency = std::min<std::uint8_t>(kFrequencyMax, entry.frequency + 1);
  return entry.block;
}

void BlockCache::insert(const GranuleKey& key, BytesView verified) {
  Shard& shard = shard_of(key);
  if (verified.empty() || verified.size() > kInsertBytesMax) return;
  if (verified.size() + kEntryOverheadBytes > shard.bytes_max) return;
  // A buffer of its own, so that evicting it frees exactly its bytes.
  auto buffer = std::make_shared_for_overwrite<std::byte[]>(verified.size());
  std::copy(verified.begin(), verified.end(), buffer.get());
  std::byte* const bytes_of_it = buffer.get();
  Block block(std::move(buffer), {bytes_of_it, verified.size()});
  const std::lock_guard lock(shard.mutex);
  if (shard.index.contains(key)) return;
  const bool met_before = shard.forget(key);
  Shard::Queue& queue = met_before ? shard.main : shard.small;
  std::uint64_t& bytes = met_before ? shard.main_bytes : shard.small_bytes;
  queue.push_front({.key = key, .block = std::move(block)});
  bytes += queue.front().cost();
  shard.index.emplace(key, queue.begin());
  while (shard.small_bytes + shard.main_bytes > shard.bytes_max) shard.evict_one();
}

BlockCache::Stats BlockCache::stats() const {
  Stats sum;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    sum.hits += shard->stats.hits;
    sum.misses += shard->stats.misses;
    sum.evictions += shard->stats.evictions;
    sum.granules += shard->index.size();
    sum.bytes += shard->small_bytes + shard->main_bytes;
  }
  return sum;
}

}  // namespace tombolo::data
