// Refusals: how many refused requests of an account are recorded, so that a client that is refused in a loop neither
// fills a disk nor makes a rotation forget what others did.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"

namespace tombolo::server {

/// Counts in windows of kWindow within hours, both of which begin with an account's first refusal. Not thread-safe.
/// Holds one entry for each account that was refused something within the last hour: callers name accounts that exist.
class Refusals {
 public:
  static constexpr unsigned kRecordedMax = 20;  // of an account in a window
  static constexpr Duration kWindow = std::chrono::seconds(10);
  /// Of an account in an hour, and one more that tells the rest: of half a KiB, 11 MB a month, where the packaged
  /// logrotate keeps 24 months unless a month makes more than 100 MB.
  static constexpr unsigned kHourlyMax = 30;
  static constexpr Duration kHour = std::chrono::hours(1);

  /// Whether this one is recorded; else it is counted as left out.
  bool admit(const std::string& account, SteadyTime now);

  struct LeftOut {
    std::string account;
    std::uint64_t count = 0;
    Duration within{};  // from the first of them on
  };
  /// What is to be told at `now`: what windows left out that have ended, at the end of the hour where its records are
  /// used up. Each is told once.
  std::vector<LeftOut> take_left_out(SteadyTime now);
  /// All that was not told yet: nothing comes after it.
  std::vector<LeftOut> take_all(SteadyTime now);

 private:
  struct Account {
    SteadyTime hour_end, window_end;
    unsigned recorded_in_hour = 0, recorded_in_window = 0;
    std::uint64_t left_out = 0;
    SteadyTime left_out_since = {};
  };
  static LeftOut told(const std::string& name, Account& account, SteadyTime now);

  std::map<std::string, Account> accounts_;
};

}  // namespace tombolo::server
