#include "kv/rocks/row_cache.h"

#include <gtest/gtest.h>

namespace tombolo::kv {
namespace {

constexpr std::uint64_t kBytes = 1u << 20;

TEST(RowCache, GivesARowToReadersOfItsStateAndLaterOnes) {
  RowCache cache(kBytes);
  cache.insert("k", "v", 5);
  EXPECT_EQ(cache.find("k", 5), "v");
  EXPECT_EQ(cache.find("k", 9), "v");
  EXPECT_EQ(cache.find("other", 9), std::nullopt);
}

TEST(RowCache, HidesARowFromReadersOfOlderStates) {
  RowCache cache(kBytes);
  cache.insert("k", "v", 5);
  EXPECT_EQ(cache.find("k", 4), std::nullopt);
}

TEST(RowCache, ForgetsARowThatChanges) {
  RowCache cache(kBytes);
  cache.insert("k", "old", 5);
  cache.changed("k", 6);
  EXPECT_EQ(cache.find("k", 5), std::nullopt);
  cache.insert("k", "new", 6);
  EXPECT_EQ(cache.find("k", 6), "new");
}

TEST(RowCache, RefusesAValueThatWasReadBeforeAChange) {
  RowCache cache(kBytes);
  cache.changed("k", 6);
  cache.insert("k", "old", 5);  // a slow reader of the state before
  EXPECT_EQ(cache.find("k", 6), std::nullopt);
}

TEST(RowCache, StaysWithinItsBytesAndKeepsWhatIsMetAgain) {
  RowCache cache(kBytes);
  cache.insert("hot", "v", 0);
  const std::string value(1'000, 'x');
  for (int n = 0; n < 10'000; ++n) {
    cache.insert("cold" + std::to_string(n), value, 0);
    ASSERT_EQ(cache.find("hot", 0), "v") << n;
  }
  int kept = 0;
  for (int n = 0; n < 10'000; ++n) kept += cache.find("cold" + std::to_string(n), 0).has_value() ? 1 : 0;
  EXPECT_GT(kept, 500);
  EXPECT_LT(static_cast<std::uint64_t>(kept) * value.size(), kBytes);
}

TEST(RowCache, IgnoresRowsThatWouldTakeMostOfIt) {
  RowCache cache(kBytes);
  cache.insert("k", std::string(kBytes, 'x'), 0);
  EXPECT_EQ(cache.find("k", 0), std::nullopt);
}

}  // namespace
}  // namespace tombolo::kv
