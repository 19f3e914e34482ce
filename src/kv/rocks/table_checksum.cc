#include "kv/rocks/table_checksum.h"

#include <rocksdb/file_checksum.h>

#include <span>

#include "base/crc64.h"
#include "base/endian.h"

namespace tombolo::kv {

namespace {

constexpr const char* kName = "tombolo.crc64-nvme";  // kept in the MANIFEST beside each checksum

class TableChecksum final : public rocksdb::FileChecksumGenerator {
 public:
  void Update(const char* data, std::size_t length) override {
    crc_ = crc64(std::as_bytes(std::span(data, length)), crc_);
  }
  void Finalize() override { store_le(checksum_.data(), crc_); }
  std::string GetChecksum() const override { return checksum_; }
  const char* Name() const override { return kName; }

 private:
  std::uint64_t crc_ = 0;
  std::string checksum_ = std::string(sizeof(crc_), '\0');
};

class TableChecksums final : public rocksdb::FileChecksumGenFactory {
 public:
  std::unique_ptr<rocksdb::FileChecksumGenerator> CreateFileChecksumGenerator(
      const rocksdb::FileChecksumGenContext& context) override {
    const std::string& wanted = context.requested_checksum_func_name;
    if (!wanted.empty() && wanted != kName) return nullptr;
    return std::make_unique<TableChecksum>();
  }
  const char* Name() const override { return kName; }
};

}  // namespace

std::shared_ptr<rocksdb::FileChecksumGenFactory> table_checksums() {
  return std::make_shared<TableChecksums>();
}

}  // namespace tombolo::kv
