#include "kv/rocks/row_cache.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace tombolo::kv {
namespace {

constexpr std::uint64_t kBytes = 1u << 20;

std::optional<std::string> find(RowCache& cache, std::string_view key, std::uint64_t at) {
  const auto found = cache.find(key, at);
  return found ? std::optional(*found) : std::nullopt;
}

TEST(RowCache, GivesARowToReadersOfItsStateAndLaterOnes) {
  RowCache cache(kBytes);
  cache.insert("k", "v", 5);
  EXPECT_EQ(find(cache, "k", 5), "v");
  EXPECT_EQ(find(cache, "k", 9), "v");
  EXPECT_EQ(find(cache, "other", 9), std::nullopt);
}

TEST(RowCache, HidesARowFromReadersOfOlderStates) {
  RowCache cache(kBytes);
  cache.insert("k", "v", 5);
  EXPECT_EQ(find(cache, "k", 4), std::nullopt);
}

TEST(RowCache, ForgetsARowThatChanges) {
  RowCache cache(kBytes);
  cache.insert("k", "old", 5);
  cache.changed("k", 6);
  EXPECT_EQ(find(cache, "k", 5), std::nullopt);
  cache.insert("k", "new", 6);
  EXPECT_EQ(find(cache, "k", 6), "new");
}

TEST(RowCache, RefusesAValueThatWasReadBeforeAChange) {
  RowCache cache(kBytes);
  cache.changed("k", 6);
  cache.insert("k", "old", 5);  // a slow reader of the state before
  EXPECT_EQ(find(cache, "k", 6), std::nullopt);
}

TEST(RowCache, StaysWithinItsBytesAndKeepsWhatIsMetAgain) {
  RowCache cache(kBytes);
  cache.insert("hot", "v", 0);
  const std::string value(1'000, 'x');
  for (int n = 0; n < 10'000; ++n) {
    cache.insert("cold" + std::to_string(n), value, 0);
    ASSERT_EQ(find(cache, "hot", 0), "v") << n;
  }
  int kept = 0;
  for (int n = 0; n < 10'000; ++n) kept += find(cache, "cold" + std::to_string(n), 0).has_value() ? 1 : 0;
  EXPECT_GT(kept, 500);
  EXPECT_LT(static_cast<std::uint64_t>(kept) * value.size(), kBytes);
}

TEST(RowCache, IgnoresRowsThatWouldTakeMostOfIt) {
  RowCache cache(kBytes);
  cache.insert("k", std::string(kBytes, 'x'), 0);
  EXPECT_EQ(find(cache, "k", 0), std::nullopt);
}

}  // namespace
}  // namespace tombolo::kv
