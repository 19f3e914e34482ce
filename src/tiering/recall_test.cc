#include "tiering/recall.h"

#include "meta/ops/gens.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::TierRig;

TEST(Recall, BringsEverythingBackAndKeepsTheRemoteCopy) {
  TierRig rig;
  const Bytes big = rig.noise(9 * kMiB + 12'345), small = rig.noise(5'000);
  ASSERT_TRUE(rig.put("big", big).ok());
  ASSERT_TRUE(rig.put("small", small).ok());
  ASSERT_TRUE(rig.put("tiny", rig.noise(10)).ok());
  rig.offload(Evict::kYes);
  ASSERT_FALSE(rig.readable_locally("big"));
  const jobs::Job job = rig.recall();
  EXPECT_EQ(job.state, jobs::JobState::kDone) << job.error;
  EXPECT_EQ(job.progress.objects_done, 3u);
  EXPECT_TRUE(rig.readable_locally("big"));
  EXPECT_TRUE(rig.readable_locally("small"));
  EXPECT_EQ(rig.cold_bytes(), 0u);
  EXPECT_EQ(*rig.get("big"), big);
  EXPECT_TRUE(rig.gen_of("big").native.has_value());
  EXPECT_EQ(rig.recall().progress.objects_skipped, 3u);
  rig.offload(Evict::kYes);
  EXPECT_EQ(rig.far->memory.puts(), 3u) << "what is in the remote need not be sent again";
  EXPECT_FALSE(rig.readable_locally("big"));
}

TEST(Recall, DamagedRemoteBytesNeverBecomeLocal) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(kMiB)).ok());
  rig.offload(Evict::kYes);
  Bytes rotten = rig.far->memory.contents("box/x");
  rotten[500'000] ^= std::byte{1};
  rig.far->memory.rot("box/x", rotten);
  const jobs::Job job = rig.recall();
  EXPECT_EQ(job.progress.objects_failed, 1u);
  EXPECT_FALSE(rig.readable_locally("x"));
}

TEST(Recall, ARemoteThatIsAwayIsAskedForOnlyWhereBytesLieThere) {
  TierRig rig;
  ASSERT_TRUE(rig.stage("kept", "aaa", rig.noise(50'000)).ok());
  ASSERT_TRUE(rig.commit("kept", {{store::BlockSource::kLatest, "aaa"}}).ok());
  ASSERT_TRUE(rig.commit("kept", {{store::BlockSource::kCommitted, "aaa"}}).ok());
  ASSERT_TRUE(rig.put("cold", rig.noise(50'000)).ok());
  rig.offload(Evict::kYes);
  ASSERT_TRUE(rig.gen_of("kept").evicted);
  ASSERT_TRUE(rig.readable_locally("kept")) << "the commit before holds the block too";
  rig.remotes.set_down("far", "it is away");
  const jobs::Job job = rig.recall();
  EXPECT_EQ(job.progress.objects_done, 1u) << job.error;
  EXPECT_EQ(job.progress.objects_failed, 1u);
  EXPECT_FALSE(rig.gen_of("kept").evicted);
  EXPECT_TRUE(rig.gen_of("cold").evicted);
}

}  // namespace
}  // namespace tombolo::tiering
