// ConflictWindow: the last commits by key, against which a transaction's reads and guards are checked.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>

#include "base/clock.h"
#include "kv/commit/request.h"

namespace tombolo::kv {

/// Not thread-safe: the committer's. Memory is bounded by `entries_max` and by time; a transaction that read a state
/// older than what is remembered conflicts.
class ConflictWindow {
 public:
  static constexpr Duration kAgeMax = std::chrono::seconds(5);  // above kTransactionMicrosMax

  explicit ConflictWindow(std::size_t entries_max = 4'000'000) : entries_max_(entries_max) {}

  /// After an exclusive guard has been refused for shared ones these are refused for so long, so that it gets its turn:
  /// some always stand in its way on a busy container. Above the pause of run() between two tries.
  static constexpr Duration kStandBack = std::chrono::milliseconds(100);

  /// kConflict when something that `request` read or guards has changed since request.read.
  Result<void> check(const CommitRequest& request, SteadyTime now);
  /// Remembers what `request` wrote and guarded as done at `sequence`, which only grows.
  void record(const CommitRequest& request, Sequence sequence, SteadyTime now);
  /// Forgets what no transaction can conflict with any more: commits up to `oldest_read`, and those older than kAgeMax.
  void trim(Sequence oldest_read, SteadyTime now);

  std::size_t size() const { return entries_.size(); }

 private:
  enum Kind : std::uint8_t { kWrite, kShared, kExclusive, kKinds };
  struct Entry {
    Fingerprint key;
    Sequence sequence;
    SteadyTime at;
    Kind kind;
  };

  bool stands_back(const CommitRequest& request, SteadyTime now) const;
  bool changed(Kind kind, Fingerprint key, Sequence since) const;
  void remember(Kind kind, Fingerprint key, Sequence sequence, SteadyTime now);

  const std::size_t entries_max_;
  boost::unordered_flat_map<Fingerprint, Sequence> last_[kKinds];
  std::deque<Entry> entries_;                                  // in order of sequence
  boost::unordered_flat_map<Fingerprint, SteadyTime> wanted_;  // exclusively, and until when shared guards stand back
  Sequence forgotten_;                                         // commits up to here may be missing
};

}  // namespace tombolo::kv
