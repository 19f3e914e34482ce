// The parts that need no engine: pins, the registry of remotes, the MD5 pipeline.
#include <gtest/gtest.h>

#include "async/run.h"
#include "async/workers.h"
#include "base/random.h"
#include "base/units.h"
#include "store/gen_pins.h"
#include "store/md5_pipeline.h"
#include "store/remotes.h"

namespace tombolo::store {
namespace {

TEST(GenPins, ClaimWaitsForEveryReader) {
  GenPins pins;
  auto first = pins.pin({1}, {7});
  auto second = pins.pin({1}, {7});
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(pins.claim({1}, {7}));
  first.reset();
  EXPECT_FALSE(pins.claim({1}, {7}));
  second.reset();
  EXPECT_TRUE(pins.claim({1}, {7}));
}

TEST(GenPins, PinFailsOnlyWhileTheSameGenIsClaimed) {
  GenPins pins;
  auto claim = pins.claim({1}, {7});
  ASSERT_TRUE(claim);
  EXPECT_FALSE(pins.pin({1}, {7}));
  EXPECT_FALSE(pins.claim({1}, {7}));
  EXPECT_TRUE(pins.pin({2}, {7}));
  claim.reset();
  EXPECT_TRUE(pins.pin({1}, {7}));
}

TEST(Remotes, UnknownNameIsUnavailableAndNamed) {
  Remotes remotes;
  const auto found = remotes.find("bucket-a");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, Code::kUnavailable);
  EXPECT_NE(found.error().message.find("bucket-a"), std::string::npos);
}

TEST(Remotes, OneThatIsDownSaysWhyUntilItIsInUseAgain) {
  Remotes remotes;
  remotes.set_down("bucket-a", "not mounted");
  const auto down = remotes.find("bucket-a");
  ASSERT_FALSE(down.ok());
  EXPECT_EQ(down.error().code, Code::kUnavailable);
  EXPECT_EQ(down.error().message, "remote \"bucket-a\" is down: not mounted");
  EXPECT_EQ(remotes.names(), std::vector<std::string>{"bucket-a"});
  remotes.set("bucket-a", nullptr);
  EXPECT_TRUE(remotes.find("bucket-a").ok());
}

Task<Md5Digest> hash_in_steps(Workers& workers, BytesView bytes, std::size_t step) {
  Md5Pipeline pipeline(workers);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const std::size_t length = std::min(step, bytes.size() - at);
    CO_TRY(pipeline.add(Block(to_bytes(bytes.subspan(at, length)))));
  }
  co_return co_await pipeline.finish();
}

TEST(Md5Pipeline, KeepsTheOrderWhateverTheSteps) {
  Workers workers({.threads = 4});
  SeededRandom random(3);
  Bytes bytes(2 * kMiB + 17);
  random.fill(bytes);
  for (const std::size_t step : {std::size_t{4'096}, std::size_t{65'537}, std::size_t{256 * kKiB}, bytes.size()}) {
    const auto digest = run_to_end(hash_in_steps(workers, bytes, step));
    ASSERT_TRUE(digest.ok());
    EXPECT_EQ(*digest, md5(bytes)) << "step " << step;
  }
  EXPECT_EQ(*run_to_end(hash_in_steps(workers, {}, 1)), md5({}));
}

}  // namespace
}  // namespace tombolo::store
