// Sequencer: gives each transaction that conflicts with nothing its place in the order and resolves its counters.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "kv/commit/conflict_window.h"
#include "kv/commit/live_reads.h"

namespace tombolo::kv {

/// Stored values of the rows that a group's `add`s touch, kept current while the group is built.
using Counters = std::unordered_map<std::string, std::optional<std::string>>;

/// A counter's value as a row: little-endian int64; 0 is no row. kCorrupt when `stored` is not a counter.
Result<std::int64_t> counter_value(const std::optional<std::string>& stored);
std::optional<std::string> counter_row(std::int64_t value);

/// Not thread-safe: the committer's.
class Sequencer {
 public:
  explicit Sequencer(Sequence last) : last_(last) {}

  /// The rows whose stored values admit() needs in `counters`.
  static void collect_counters(const CommitRequest& request, Counters& into);

  /// The next transaction of the log, with counters resolved, or why it cannot be (kConflict, kInvalid on a counter
  /// that overflows, kCorrupt). Whatever is admitted must be logged and applied in this order.
  Result<LogEntry> admit(CommitRequest request, Counters& counters, SteadyTime now);

  Sequence last() const { return last_; }
  void forget(Sequence oldest_read, SteadyTime now) { window_.trim(oldest_read, now); }

 private:
  ConflictWindow window_;
  Sequence last_;
};

}  // namespace tombolo::kv
