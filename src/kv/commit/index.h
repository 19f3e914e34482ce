// Index: the current rows behind the committer. It holds no log of its own; the commit log makes it durable.
#pragma once

#include <memory>
#include <vector>

#include "kv/kv.h"

namespace tombolo::kv {

/// A place in a commit log's history: which log, the last transaction, and the chain hash up to it. Default: nothing.
struct Position {
  std::uint64_t log_id = 0;
  Sequence sequence;
  std::uint64_t chain = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

/// snapshot() and reads are thread-safe; apply() and flush() each run one at a time, but may run at once.
class Index {
 public:
  virtual ~Index() = default;
  /// The position of the last apply(); after opening, the one that the durable files hold.
  virtual Position applied() const = 0;
  /// All of `group` and the position, atomically. Requires that `group` lives until the task has ended. After an error
  /// the same call is made again until it succeeds (kNoSpace and kUnavailable may heal).
  virtual Task<void> apply(const std::vector<LogEntry>& group, Position to) = 0;
  /// Sees every apply() that has ended, and whole groups only.
  virtual std::unique_ptr<Snapshot> snapshot() = 0;
  /// Everything applied before the call lies in verified durable files when it succeeds.
  virtual Task<void> flush() = 0;
  /// Bytes of the disk that flush() would take now, at most.
  virtual std::uint64_t flush_bytes() const = 0;
  /// Reads every durable file and checks it. kCorrupt when one does not verify.
  virtual Task<void> verify() = 0;
};

}  // namespace tombolo::kv
