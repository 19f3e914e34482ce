// Pace: lets simulated time pass at the steps of a machine, so that tasks of one loop overtake each other.
#pragma once

#include "async/sleep.h"
#include "base/random.h"

namespace tombolo::testing {

struct PaceOptions {
  unsigned one_in = 0;  // of so many steps one takes time; 0: none ever does
  Duration longest{1};
};

/// For a loop with virtual time. Equal seeds and steps give equal pauses.
class Pace {
 public:
  Pace(std::uint64_t seed, PaceOptions options) : random_(seed), options_(options) {}
  bool none() const { return options_.one_in == 0; }

  /// Never fails: what is paced cannot be cancelled, only hurried.
  Task<void> pause() {
    if (none() || random_.below(options_.one_in) != 0) co_return Result<void>{};
    const auto longest = static_cast<std::uint64_t>(options_.longest.count());
    (void)co_await sleep_for(Duration(static_cast<std::int64_t>(random_.below(longest + 1))));
    co_return Result<void>{};
  }

 private:
  SeededRandom random_;
  const PaceOptions options_;
};

}  // namespace tombolo::testing
