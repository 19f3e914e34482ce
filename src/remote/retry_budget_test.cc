#include "remote/retry_budget.h"

#include <gtest/gtest.h>

namespace tombolo::remote {
namespace {

int spend_all(RetryBudget& budget) {
  int spent = 0;
  while (budget.spend()) ++spent;
  return spent;
}

TEST(RetryBudget, RetriesAreAShareOfRequests) {
  ManualClock clock;
  RetryBudget budget({.share = 0.1, .per_second = 0.5, .kept_max = 20}, clock);
  EXPECT_EQ(spend_all(budget), 20);
  for (int n = 0; n < 101; ++n) budget.earn();
  EXPECT_EQ(spend_all(budget), 10);
  clock.advance(std::chrono::seconds(5));
  EXPECT_EQ(spend_all(budget), 2);
  clock.advance(std::chrono::hours(5));
  EXPECT_EQ(spend_all(budget), 20);
}

}  // namespace
}  // namespace tombolo::remote
