// RowCache: rows as the last applied group left them, so that reading a hot row is one look into a hash table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tombolo::kv {

/// Thread-safe. States of the index are numbered in the order in which they become visible. A row that is here has not
/// changed since the state that it was read in, so every reader of that state or a later one may have it; a reader of
/// an older state finds nothing. Absent rows are not kept.
class RowCache {
 public:
  /// `bytes_max`: keys, values and their bookkeeping.
  explicit RowCache(std::uint64_t bytes_max);
  ~RowCache();
  RowCache(const RowCache&) = delete;

  /// The value as the state `at` has it; nullptr: look elsewhere.
  std::shared_ptr<const std::string> find(std::string_view key, std::uint64_t at);
  /// `value` was read in the state `at`. Ignored when the row may have changed since, or is too large.
  void insert(std::string_view key, std::string_view value, std::uint64_t at);
  /// The row changes in the state `in`, which nobody reads yet.
  void changed(std::string_view key, std::uint64_t in);

 private:
  struct Shard;
  Shard& shard_of(std::size_t hash) { return *shards_[hash % shards_.size()]; }
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace tombolo::kv
