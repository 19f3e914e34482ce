#include "data/block_cache.h"

#include <gtest/gtest.h>

#include <thread>

namespace tombolo::data {
namespace {

constexpr std::size_t kGranule = 16 * 1024;

GranuleKey key(std::uint64_t gen, std::uint64_t offset = 0) {
  return {.tenant = {1}, .gen = {gen}, .gen_offset = offset};
}
Bytes bytes_of(std::uint64_t gen) {
  return Bytes(kGranule, static_cast<std::byte>(gen));
}

TEST(BlockCache, GivesBackWhatWasPutIn) {
  BlockCache cache;
  EXPECT_FALSE(cache.find(key(1)));
  cache.insert(key(1), bytes_of(1));
  const auto found = cache.find(key(1));
  ASSERT_TRUE(found);
  EXPECT_EQ(to_bytes(found->view()), bytes_of(1));
  EXPECT_FALSE(cache.find(key(1, kGranule)));
  EXPECT_FALSE(cache.find({.tenant = {2}, .gen = {1}}));
  EXPECT_EQ(cache.stats().hits, 1u);
  EXPECT_EQ(cache.stats().misses, 3u);
}

TEST(BlockCache, StaysWithinItsBound) {
  const std::uint64_t bound = 64 * kGranule;
  BlockCache cache({.bytes_max = bound, .shards = 2});
  for (std::uint64_t gen = 1; gen <= 1'000; ++gen) {
    cache.insert(key(gen), bytes_of(gen));
    ASSERT_LE(cache.stats().bytes, bound);
  }
  EXPECT_GT(cache.stats().granules, 50u);
  EXPECT_GT(cache.stats().evictions, 900u);
}

TEST(BlockCache, AScanDoesNotWashOutWhatIsReadAgain) {
  BlockCache cache({.bytes_max = 100 * (kGranule + 512), .shards = 1});
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t gen = 1; gen <= 20; ++gen) {
      if (!cache.find(key(gen))) cache.insert(key(gen), bytes_of(gen));
    }
  }
  for (std::uint64_t gen = 1'000; gen < 1'500; ++gen) cache.insert(key(gen), bytes_of(gen));
  int kept = 0;
  for (std::uint64_t gen = 1; gen <= 20; ++gen) kept += cache.find(key(gen)) ? 1 : 0;
  EXPECT_EQ(kept, 20);
}

TEST(BlockCache, WhatComesBackSoonAfterItWasDroppedIsKept) {
  BlockCache cache({.bytes_max = 50 * (kGranule + 512), .shards = 1});
  std::uint64_t gen = 100;
  const auto scan = [&](int granules) {
    for (int n = 0; n < granules; ++n, ++gen) cache.insert(key(gen), bytes_of(gen));
  };
  cache.insert(key(1), bytes_of(1));
  scan(60);
  ASSERT_FALSE(cache.find(key(1)));
  cache.insert(key(1), bytes_of(1));  // remembered: straight to the main queue
  scan(500);
  EXPECT_TRUE(cache.find(key(1)));
}

TEST(BlockCache, ABlockOutlivesItsEviction) {
  BlockCache cache({.bytes_max = 4 * kGranule, .shards = 1});
  cache.insert(key(1), bytes_of(1));
  const auto held = cache.find(key(1));
  for (std::uint64_t gen = 2; gen < 50; ++gen) cache.insert(key(gen), bytes_of(gen));
  EXPECT_EQ(to_bytes(held->view()), bytes_of(1));
}

TEST(BlockCache, IgnoresWhatCannotFit) {
  BlockCache cache({.bytes_max = 8 * 1024, .shards = 1});
  cache.insert(key(1), bytes_of(1));
  EXPECT_FALSE(cache.find(key(1)));
  EXPECT_EQ(cache.stats().bytes, 0u);
}

TEST(BlockCache, ServesSeveralThreads) {
  BlockCache cache({.bytes_max = 64 * kGranule, .shards = 4});
  const auto work = [&cache](std::uint64_t seed) {
    for (std::uint64_t n = 0; n < 3'000; ++n) {
      const std::uint64_t gen = 1 + (n * 7 + seed) % 200;
      if (const auto found = cache.find(key(gen))) {
        ASSERT_EQ(found->view()[n % kGranule], static_cast<std::byte>(gen));
      } else {
        cache.insert(key(gen), bytes_of(gen));
      }
    }
  };
  std::thread other(work, 3);
  work(1);
  other.join();
  EXPECT_LE(cache.stats().bytes, 64 * kGranule);
}

}  // namespace
}  // namespace tombolo::data
