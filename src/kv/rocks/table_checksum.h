// The checksum of a table of RocksDB as a whole, which it keeps in its MANIFEST.
#pragma once

#include <memory>

namespace rocksdb {
class FileChecksumGenFactory;
}

namespace tombolo::kv {

/// CRC64-NVME (base/crc64.h), 8 bytes, little-endian. RocksDB's own CRC32C is computed byte by byte in Debian's build.
std::shared_ptr<rocksdb::FileChecksumGenFactory> table_checksums();

}  // namespace tombolo::kv
