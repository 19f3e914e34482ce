#include "kv/rocks/insert_hints.h"

#include <rocksdb/slice_transform.h>

#include "kv/tables.h"

namespace tombolo::kv {

namespace {

// Behind a table's prefix two bytes more: all of a usage counter's key, so that each has a place, and of rows that
// begin with a number the part that does not change. Of the cell's tables the shard, where they have one.
constexpr std::size_t kMoreBytes = 2;
constexpr std::size_t kCellBytes = 3;

class TableOfRow final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "tombolo.table-of-row"; }
  bool InDomain(const rocksdb::Slice& key) const override { return prefix_bytes(key) <= key.size(); }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), prefix_bytes(key)}; }

 private:
  std::size_t prefix_bytes(const rocksdb::Slice& key) const {
    return !key.empty() && key[0] == static_cast<char>(Space::kData) ? data_bytes_ : kCellBytes;
  }

  const std::size_t data_bytes_ = table_prefix(Table::kObjects, {}, {}).size() + kMoreBytes;
};

}  // namespace

std::shared_ptr<const rocksdb::SliceTransform> insert_hints() {
  return std::make_shared<const TableOfRow>();
}

}  // namespace tombolo::kv
