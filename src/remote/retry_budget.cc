#include "remote/retry_budget.h"

#include <algorithm>

namespace tombolo::remote {

void RetryBudget::add(double tokens) {
  const SteadyTime now = clock_.steady();
  const double seconds = std::chrono::duration<double>(now - at_).count();
  at_ = now;
  kept_ = std::min(config_.kept_max, kept_ + tokens + seconds * config_.per_second);
}

void RetryBudget::earn() {
  const std::lock_guard lock(mutex_);
  add(config_.share);
}

bool RetryBudget::spend() {
  const std::lock_guard lock(mutex_);
  add(0);
  if (kept_ < 1) return false;
  kept_ -= 1;
  return true;
}

}  // namespace tombolo::remote
