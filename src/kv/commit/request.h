// What a transaction hands to its engine's committer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kv/kv.h"

namespace tombolo::kv {

/// Stands for a key in the conflict window. Two keys with one fingerprint conflict needlessly, never wrongly.
using Fingerprint = std::uint64_t;
inline Fingerprint fingerprint(std::string_view key) {
  return std::hash<std::string_view>{}(key);
}

struct Write {
  enum class Kind : std::uint8_t { kPut, kErase, kAdd };
  Kind kind = Kind::kPut;
  std::string value = {};  // of kPut
  std::int64_t delta = 0;  // of kAdd
};

struct CommitRequest {
  Sequence read;  // the state that was read: later writes of what was read conflict
  std::vector<Fingerprint> reads, guards_shared, guards_exclusive;
  std::map<std::string, Write> writes;
  std::size_t bytes = 0;  // of keys and values written
  Purpose purpose = Purpose::kStores;
};

/// Where a buffered transaction ends.
class CommitTarget {
 public:
  virtual ~CommitTarget() = default;
  /// As Transaction::commit, for a request with at least one write that keeps the limits.
  virtual Task<Sequence> submit(CommitRequest request) = 0;
};

}  // namespace tombolo::kv
