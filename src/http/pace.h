// Pace: how long a peer may still be waited for, so that one that moves a byte now and then holds nothing for ever.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace tombolo::http {

struct PaceOptions {
  Duration stall_max = {};     // longest time without a byte; also how much slowness is forgiven
  std::uint64_t rate_min = 0;  // bytes a second on average; 0: any
};

/// A bucket of time. Waiting for the peer empties it, each byte that moves fills it by 1/rate_min seconds, never above
/// stall_max. A peer that keeps the rate stays for ever, one below it runs dry after about stall_max. Only time spent
/// waiting for the peer counts, so a server that is busy blames nobody.
class Pace {
 public:
  explicit Pace(PaceOptions options) : options_(options), left_(options.stall_max) {}

  /// The longest next wait; zero: the peer has been too slow.
  Duration allowance() const { return left_; }
  void moved(std::uint64_t bytes, Duration waited) {
    if (options_.rate_min == 0) return;
    // A wait is at most about stall_max and one move fits a kStreamStep: no overflow.
    const Duration earned(static_cast<std::int64_t>(bytes * 1'000'000 / options_.rate_min));
    left_ = std::clamp(left_ - waited + earned, Duration::zero(), options_.stall_max);
  }
  /// Time in which nobody waited for the peer.
  void rested(Duration time) { left_ = std::min(left_ + time, options_.stall_max); }

 private:
  const PaceOptions options_;
  Duration left_;
};

}  // namespace tombolo::http
