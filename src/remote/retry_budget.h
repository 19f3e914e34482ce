// RetryBudget: keeps retries a small share of the requests, so that a remote in trouble is not buried.
#pragma once

#include <mutex>

#include "base/clock.h"

namespace tombolo::remote {

struct RetryBudgetConfig {
  double share = 0.1;       // retries allowed per request
  double per_second = 0.5;  // and per second, so that a quiet remote can retry too
  double kept_max = 20;     // retries saved up at most; also what there is at the start
};

/// Thread-safe.
class RetryBudget {
 public:
  RetryBudget(RetryBudgetConfig config, Clock& clock)
      : config_(config), clock_(clock), kept_(config.kept_max), at_(clock.steady()) {}

  /// Once per operation, before its first try.
  void earn();
  /// False: give up instead of trying again.
  bool spend();

 private:
  void add(double tokens);  // requires: mutex_ held

  const RetryBudgetConfig config_;
  Clock& clock_;
  std::mutex mutex_;
  double kept_;
  SteadyTime at_;
};

}  // namespace tombolo::remote
