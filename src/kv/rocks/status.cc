#include "kv/rocks/status.h"

#include <fmt/format.h>

namespace tombolo::kv {

Error error_of(const rocksdb::Status& status, std::string_view doing) {
  Code code = Code::kInternal;
  // After these (a flush whose sync failed, say) RocksDB takes no more writes, whatever heals: only opening it again
  // helps, so they must not look like what may heal.
  const bool is_final = status.severity() >= rocksdb::Status::Severity::kFatalError;
  if (status.IsCorruption()) {
    code = Code::kCorrupt;
  } else if (is_final) {
    code = Code::kInternal;
  } else if (status.IsNoSpace()) {
    code = Code::kNoSpace;
  } else if (status.IsIOError()) {
    code = Code::kUnavailable;
  } else if (status.IsIncomplete() || status.IsBusy() || status.IsTryAgain() || status.IsTimedOut()) {
    code = Code::kBusy;
  }
  return {code, fmt::format("RocksDB, {}: {}", doing, status.ToString())};
}

Result<void> result_of(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  return error_of(status, doing);
}

}  // namespace tombolo::kv
