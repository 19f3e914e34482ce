// Where in RocksDB's memtable a row will go: near the last one of its table.
#pragma once

#include <memory>

namespace rocksdb {
class SliceTransform;
}

namespace tombolo::kv {

/// Rows of one table and container (kv/tables.h) are neighbours, and most come in rising order: gens, edges, the feed.
/// RocksDB remembers a place for each prefix that this gives, some 300 bytes in each memtable.
std::shared_ptr<const rocksdb::SliceTransform> insert_hints();

}  // namespace tombolo::kv
