#include "testing/linearize/run.h"

#include <gtest/gtest.h>

#include "base/log.h"

namespace tombolo::testing::linearize {
namespace {

class LinearizeTest : public ::testing::Test {
 protected:
  LinearizeTest() { set_log_level(LogLevel::kNone); }
  ~LinearizeTest() override { set_log_level(LogLevel::kInfo); }
};

TEST_F(LinearizeTest, HistoriesAreLinearizable) {
  RunStats sum;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto result = run_history({.seed = seed});
    EXPECT_FALSE(result.violation) << "seed " << seed << ": " << *result.violation;
    sum += result.stats;
  }
  // Of everything that makes it worth running, there is some.
  EXPECT_GT(sum.operations, 12u * 150);
  EXPECT_GT(sum.acknowledged, sum.operations / 5);
  EXPECT_GT(sum.refused, sum.operations / 50);
  EXPECT_GT(sum.reads, sum.operations / 3);
  EXPECT_GT(sum.unknown, 5u);
  EXPECT_GT(sum.crashes_under_way, 5u);
  EXPECT_GT(sum.jobs, 20u);
  EXPECT_LT(sum.busy, sum.operations / 20);
}

TEST_F(LinearizeTest, HistoriesAreLinearizableWithRocksDbToo) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto result = run_history({.engine = model::EngineKind::kRocks, .seed = seed});
    EXPECT_FALSE(result.violation) << "seed " << seed << ": " << *result.violation;
  }
}

TEST_F(LinearizeTest, TheSameSeedGivesTheSameTrace) {
  std::uint64_t other = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const auto first = run_history({.seed = seed});
    EXPECT_EQ(run_history({.seed = seed}).trace_hash, first.trace_hash) << "seed " << seed;
    EXPECT_NE(first.trace_hash, other);
    other = first.trace_hash;
  }
}

}  // namespace
}  // namespace tombolo::testing::linearize
