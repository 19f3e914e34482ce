// Rate: so many a second, with a second's worth of burst.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace tombolo::admission {

/// Not thread-safe.
class Rate {
 public:
  /// `per_second`: at least 1.
  explicit Rate(std::uint64_t per_second)
      : interval_ns_(std::max<std::int64_t>(kSecondNs / static_cast<std::int64_t>(per_second), 1)) {}

  /// Zero: one was taken. Else nothing was, and this is when to ask again. Those that are refused are sent to different
  /// times, as many a second as can be served: told the same time, they would all come back at once and most of them
  /// be refused again.
  Duration take(SteadyTime now) {
    const std::int64_t now_ns = now.micros * 1'000;
    const std::int64_t next = std::max(paid_until_ns_, now_ns) + interval_ns_;
    const std::int64_t over = next - now_ns - kSecondNs;
    if (over <= 0) {
      paid_until_ns_ = next;
      return Duration::zero();
    }
    told_ns_ = std::min(std::max(told_ns_ + interval_ns_, now_ns + over), now_ns + std::max(kToldMaxNs, over));
    return Duration((told_ns_ - now_ns) / 1'000 + 1);
  }

 private:
  static constexpr std::int64_t kSecondNs = 1'000'000'000;

  static constexpr std::int64_t kToldMaxNs = 10 * kSecondNs;

  const std::int64_t interval_ns_;
  std::int64_t paid_until_ns_ = 0;  // what was taken so far would be spread evenly up to here
  std::int64_t told_ns_ = 0;        // the latest time that anybody was told
};

}  // namespace tombolo::admission
