#include "server/refusals.h"

#include <iterator>
#include <utility>

namespace tombolo::server {

bool Refusals::admit(const std::string& name, SteadyTime now) {
  Account& account = accounts_[name];
  if (now >= account.hour_end) {
    account.hour_end = now + kHour;
    account.recorded_in_hour = 0;
  }
  if (now >= account.window_end) {
    account.window_end = now + kWindow;
    account.recorded_in_window = 0;
  }
  if (account.recorded_in_window < kRecordedMax && account.recorded_in_hour < kHourlyMax) {
    ++account.recorded_in_window;
    ++account.recorded_in_hour;
    return true;
  }
  if (account.left_out++ == 0) account.left_out_since = now;
  return false;
}

Refusals::LeftOut Refusals::told(const std::string& name, Account& account, SteadyTime now) {
  ++account.recorded_in_hour;
  return {.account = name, .count = std::exchange(account.left_out, 0), .within = now - account.left_out_since};
}

std::vector<Refusals::LeftOut> Refusals::take_left_out(SteadyTime now) {
  std::vector<LeftOut> all;
  for (auto at = accounts_.begin(); at != accounts_.end();) {
    auto& [name, account] = *at;
    const bool hour_over = now >= account.hour_end;
    const bool may_tell = now >= account.window_end && account.recorded_in_hour < kHourlyMax;
    if (account.left_out > 0 && (hour_over || may_tell)) all.push_back(told(name, account, now));
    at = hour_over ? accounts_.erase(at) : std::next(at);
  }
  return all;
}

std::vector<Refusals::LeftOut> Refusals::take_all(SteadyTime now) {
  std::vector<LeftOut> all;
  for (auto& [name, account] : std::exchange(accounts_, {})) {
    if (account.left_out > 0) all.push_back(told(name, account, now));
  }
  return all;
}

}  // namespace tombolo::server
