// What RocksDB's statuses mean here.
#pragma once

#include <rocksdb/status.h>

#include <string_view>

#include "base/result.h"

namespace tombolo::kv {

/// Requires !status.ok(). `doing` completes "RocksDB, ...: what it says". kCorrupt, kNoSpace; kUnavailable and kBusy
/// may heal; kInternal when only opening the index again helps.
Error error_of(const rocksdb::Status& status, std::string_view doing);

Result<void> result_of(const rocksdb::Status& status, std::string_view doing);

}  // namespace tombolo::kv
