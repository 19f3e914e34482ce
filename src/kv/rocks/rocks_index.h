// RocksIndex: the rows in RocksDB, without its own log; the commit log is what makes them durable.
#pragma once

#include <memory>
#include <string>

#include "async/workers.h"
#include "kv/commit/index.h"

namespace rocksdb {
class FileSystem;
class SystemClock;
}  // namespace rocksdb

namespace tombolo::kv {

struct RocksIndexOptions {
  std::string path;                                  // RocksDB's own directory; made when missing
  std::uint64_t write_buffer_bytes = 32ull << 20;    // rows in memory before they are written to a file by themselves
  std::uint64_t block_cache_bytes = 64ull << 20;     // decompressed blocks kept in memory, indexes and filters included
  std::uint64_t row_cache_bytes = 64ull << 20;       // single rows that were read lately, in front of the blocks
  std::shared_ptr<rocksdb::FileSystem> files = {};   // what RocksDB does its I/O through; null: the machine's
  std::shared_ptr<rocksdb::SystemClock> clock = {};  // with `files`: what it waits by; null: the machine's
};

/// Opens (on `workers`, which must outlive the index) what the last flush left: without a flush, everything since is
/// the commit log's to replay. kCorrupt when RocksDB refuses its files. Reads that miss the block cache and all
/// flushes hop to `workers`.
Task<std::unique_ptr<Index>> open_rocks_index(RocksIndexOptions options, Workers& workers);

}  // namespace tombolo::kv
