#include "kv/rocks/insert_hints.h"

#include <rocksdb/slice_transform.h>

#include "kv/tables.h"

namespace tombolo::kv {

namespace {

constexpr std::size_t kOtherPrefixBytes = 3;  // with the shard of those tables of the cell that have one

class TableOfRow final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "tombolo.table-of-row"; }
  bool InDomain(const rocksdb::Slice& key) const override { return prefix_bytes(key) < key.size(); }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), prefix_bytes(key)}; }

 private:
  std::size_t prefix_bytes(const rocksdb::Slice& key) const {
    const bool data = !key.empty() && key[0] == static_cast<char>(Space::kData);
    return data ? data_prefix_bytes_ : kOtherPrefixBytes;
  }

  const std::size_t data_prefix_bytes_ = table_prefix(Table::kObjects, {}, {}).size();
};

}  // namespace

std::shared_ptr<const rocksdb::SliceTransform> insert_hints() {
  return std::make_shared<const TableOfRow>();
}

}  // namespace tombolo::kv
