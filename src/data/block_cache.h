// BlockCache: verified granules in memory, bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/units.h"

namespace tombolo::data {

struct BlockCacheConfig {
  /// Memory for granules and their bookkeeping. Blocks that readers still hold after eviction come on top.
  std::uint64_t bytes_max = 128 * kMiB;
  /// Locks. More: less contention; each shard holds bytes_max / shards.
  std::uint32_t shards = 16;
};

/// A granule by what it is, never by where it lies (core.md §2), so that moving a run changes nothing here.
struct GranuleKey {
  TenantId tenant;
  GenId gen;
  std::uint64_t gen_offset = 0;  // of the granule's first byte
  friend bool operator==(const GranuleKey&, const GranuleKey&) = default;
};

/// Thread-safe. S3-FIFO: a small queue that one-time granules fall out of (their keys are remembered for a while), and
/// a main queue for those met again. Only verified bytes may be put in; they are served without another check.
class BlockCache {
 public:
  explicit BlockCache(BlockCacheConfig config = {});
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;

  /// The whole granule. nullopt when it is not here.
  std::optional<Block> find(const GranuleKey& key);
  /// Copies `verified` (at most 64 KiB; larger is ignored). A granule that is already here stays.
  void insert(const GranuleKey& key, BytesView verified);

  struct Stats {
    std::uint64_t hits = 0, misses = 0, evictions = 0, granules = 0, bytes = 0;
  };
  Stats stats() const;

 private:
  struct Shard;
  Shard& shard_of(const GranuleKey& key);
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace tombolo::data
