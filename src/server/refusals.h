// Refusals: how many refused requests of an account are recorded, so that a client that is refused in a loop fills no
// disk.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace tombolo::server {

/// Counts in windows of kWindow, which begin with an account's first refusal. Not thread-safe. Holds one entry for each
/// account that was refused something within the last window: callers name accounts that exist.
class Refusals {
 public:
  static constexpr unsigned kRecordedMax = 20;  // of an account in a window
  static constexpr Duration kWindow = std::chrono::seconds(10);

  /// Whether this one is recorded; else it is counted as left out.
  bool admit(const std::string& account, SteadyTime now);

  /// Accounts and how many of their refusals were left out, of the windows that ended before `now`; forgets these.
  std::vector<std::pair<std::string, std::uint64_t>> take_left_out(SteadyTime now);

 private:
  struct Window {
    SteadyTime end;
    std::uint64_t seen = 0;
  };
  std::map<std::string, Window> windows_;
};

}  // namespace tombolo::server
