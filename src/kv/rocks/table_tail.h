// What RocksDB believes of a table before it has verified it.
#pragma once

#include <rocksdb/env.h>

#include <string>

#include "base/result.h"

namespace tombolo::kv {

/// Looks at the end of each table in the index's directory. RocksDB parses a table's properties before it compares
/// their checksum (ReadTablePropertiesHelper, 7.8), and with one bit set that no table of ours has, Debian's build,
/// which has its assertions on, ends the process. kCorrupt names the file; any other damage is left for RocksDB to
/// tell.
Result<void> check_table_tails(rocksdb::Env& env, const std::string& path);

}  // namespace tombolo::kv
