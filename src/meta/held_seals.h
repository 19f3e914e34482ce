// HeldSeals: which seals of uploads the commits of this process hold right now.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/clock.h"

namespace tombolo::meta {

/// A seal older than this is void, like one of a dead process, and one that no commit holds any more.
inline constexpr Duration kSealAgeMax = std::chrono::minutes(10);

/// Thread-safe. What the row of an upload says outlives a commit that could not take its seal back (a full disk, a full
/// queue, an outcome nobody knows); this does not. It must outlive every hold. A seal's age is of the steady clock: its
/// stamp and the wall clock may be hours apart (Stamper).
class HeldSeals {
 public:
  /// Held until the last copy is gone.
  std::shared_ptr<const void> hold(std::uint64_t seal_id, SteadyTime now);
  bool holds(std::uint64_t seal_id, SteadyTime now) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, SteadyTime> since_;  // by id
};

}  // namespace tombolo::meta
