#include "tiering/census.h"

#include <gtest/gtest.h>

#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::TierRig;

Census census_of(TierRig& rig) {
  const auto box = rig.run(rig.store.get_container(TierRig::box()));
  const auto census = rig.run(take_census(rig.services, {{box->tenant, box->id}}));
  EXPECT_TRUE(census.ok());
  return *census;
}

TEST(Census, TellsLocalRemoteAndBothApart) {
  TierRig rig;
  ASSERT_TRUE(rig.put("cold/a", rig.noise(50'000)).ok());
  ASSERT_TRUE(rig.put("kept/b", rig.noise(30'000)).ok());
  ASSERT_TRUE(rig.put("kept/tiny", rig.noise(10)).ok());
  rig.offload(Evict::kYes, "cold/");
  rig.offload(Evict::kNo, "kept/");
  const Census all_safe = census_of(rig);
  EXPECT_EQ(all_safe.local.objects, 0u);
  EXPECT_FALSE(all_safe.oldest_exposed);

  ASSERT_TRUE(rig.put("new/c", rig.noise(7'000)).ok());
  ASSERT_TRUE(rig.put("new/d", rig.noise(20)).ok());
  const Stamp oldest = rig.head("new/c")->content_stamp;
  const Census census = census_of(rig);
  EXPECT_EQ(census.remote.objects, 1u);
  EXPECT_EQ(census.remote.bytes, 50'000u);
  EXPECT_EQ(census.both.objects, 2u);
  EXPECT_EQ(census.both.bytes, 30'010u);
  EXPECT_EQ(census.local.objects, 2u);
  EXPECT_EQ(census.local.bytes, 7'020u);
  EXPECT_EQ(census.oldest_exposed, oldest);

  // An overwrite of what was offloaded is exposed again; a recall changes remote to both.
  ASSERT_TRUE(rig.put("kept/b", rig.noise(40'000)).ok());
  rig.recall();
  const Census after = census_of(rig);
  EXPECT_EQ(after.local.bytes, 47'020u);
  EXPECT_EQ(after.remote.objects, 0u);
  EXPECT_EQ(after.both.bytes, 50'010u);
}

TEST(Census, CountsMoreThanOnePage) {
  TierRig rig;
  for (int n = 0; n < 450; ++n) ASSERT_TRUE(rig.put("o" + std::to_string(n), rig.noise(2)).ok());
  const Census census = census_of(rig);
  EXPECT_EQ(census.local.objects, 450u);
  EXPECT_EQ(census.local.bytes, 900u);
}

}  // namespace
}  // namespace tombolo::tiering
