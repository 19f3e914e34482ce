// Stamper and IdAllocator: numbers that are never given twice, across restarts and with a clock that jumps.
//
// Both lease ahead: a high-water mark in an H row is moved past what is handed out before it is handed out, so that a
// crash loses at most a lease (docs/formats/stamps.md).
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "async/mutex.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "kv/kv.h"

namespace tombolo::meta {

/// Ahead of the clock by at most this after a restart. Shorter: more writes of the row; longer: the first stamps after
/// a crash lie further in the future.
inline constexpr std::uint64_t kStampLeaseMicros = 3'000'000;
/// Stamps leased at a time while they run ahead of the clock.
inline constexpr std::uint64_t kStampsLeasedAhead = 10'000;
inline constexpr std::uint64_t kClockBehindMicrosMax = 3'600'000'000;
/// A clock that leaps further ahead of all that was believed is not believed before it has stood by that for so long:
/// stamps that were given can not be taken back, and once it is right again no start would accept it.
inline constexpr std::int64_t kLeapMicrosMax = 3'600'000'000;
inline constexpr Duration kLeapBelievedAfter = std::chrono::hours(1);
inline constexpr std::uint64_t kIdLease = 65'536;

/// Strictly increasing per cell: max(clock, last + 1), where the clock is believed. Thread-safe. recover() once, before
/// the first next().
class Stamper {
 public:
  Stamper(kv::Engine& engine, Random& random, Clock& clock) : engine_(engine), random_(random), clock_(clock) {}

  /// kUnavailable when the clock is more than an hour behind the stamps already given (message says by how much).
  Task<void> recover();
  Task<Stamp> next();
  /// The last stamp given: nothing newer exists. 0 before recover().
  Stamp last() const;

 private:
  bool take(Stamp& out);
  std::uint64_t now();  // requires: mutex_ held

  kv::Engine& engine_;
  Random& random_;
  Clock& clock_;
  AsyncMutex leasing_;
  mutable std::mutex mutex_;
  std::optional<std::int64_t> ahead_;        // of the steady clock, as believed; none: not looked at yet
  std::int64_t ahead_most_ = 0;              // that was ever believed
  std::optional<SteadyTime> leapt_at_ = {};  // the clock is further ahead since then
  std::uint64_t last_ = 0;
  std::uint64_t leased_through_ = 0;
};

/// 64-bit ids of every kind from one counter, so that an upload's id and a gen's never meet as holders of an edge.
/// Also counts the processes that have run on the cell. Thread-safe. recover() once, before anything else.
class IdAllocator {
 public:
  IdAllocator(kv::Engine& engine, Random& random) : engine_(engine), random_(random) {}

  /// Skips what an earlier process had leased, and begins a new process epoch.
  Task<void> recover();
  Task<std::uint64_t> next();
  template <class IdType>
  Task<IdType> next_id() {
    CO_TRY_ASSIGN(const std::uint64_t value, next());
    co_return IdType{value};
  }
  /// Of this process; larger than that of every earlier one.
  std::uint64_t process_epoch() const { return process_epoch_; }
  /// Of the change feed: larger after each restore of the cell.
  std::uint64_t feed_epoch() const { return feed_epoch_; }

 private:
  kv::Engine& engine_;
  Random& random_;
  AsyncMutex leasing_;
  std::mutex mutex_;
  std::uint64_t next_ = 0;
  std::uint64_t leased_end_ = 0;
  std::uint64_t process_epoch_ = 0;
  std::uint64_t feed_epoch_ = 0;
};

}  // namespace tombolo::meta
