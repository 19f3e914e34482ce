// Offloads that end early, cancelled, stopped or by a crash: what they leave, and how the next one goes on.
#include "tiering/offload.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::Lie;
using testing::nothing;
using testing::Step;
using testing::TierRig;

/// The job is cancelled at the second GET of the read-back.
TEST(Offload, ACancelledJobEndsWithinAnObject) {
  TierRig rig;
  rig.services.limits.cold_get_bytes_max = kMiB;
  ASSERT_TRUE(rig.put("a", rig.noise(9 * kMiB)).ok());
  OffloadSpec spec;
  spec.container = TierRig::box();
  spec.remote = "far";
  spec.evict = Evict::kYes;
  int gets = 0;
  JobId id;
  rig.far->hook = [&](Step step, std::string) {
    return step == Step::kGet && ++gets == 2 ? rig.scheduler->cancel(id) : nothing();
  };
  id = *rig.run(submit_offload(*rig.scheduler, rig.services, spec));
  const jobs::Job job = rig.wait(id);
  EXPECT_EQ(job.state, jobs::JobState::kCancelled);
  EXPECT_EQ(job.progress.objects_failed, 0u) << job.error;
  EXPECT_EQ(gets, 2);
  EXPECT_TRUE(rig.readable_locally("a"));
  EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_done, 1u);
  EXPECT_EQ(rig.far->memory.puts(), 1u) << "what was sent is found";
  EXPECT_FALSE(rig.readable_locally("a"));
}

TEST(Offload, AfterACrashOnlyWhatWasInFlightIsSentAgain) {
  for (const Lie lie : {Lie::kPutDies, Lie::kPutStoredThenDies}) {
    SCOPED_TRACE(static_cast<int>(lie));
    TierRig rig;
    const Bytes bytes = rig.noise(kMiB);
    ASSERT_TRUE(rig.put("x", bytes).ok());
    rig.far->lie = lie;
    rig.offload(Evict::kYes);
    rig.far->lie = Lie::kNone;
    ASSERT_EQ(rig.native_key("box/x")->state, meta::NativeState::kIntent);
    EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_done, 1u);
    EXPECT_EQ(rig.far->memory.puts(), 1u) << "what was stored before the crash is verified and adopted";
    EXPECT_EQ(*rig.get("x"), bytes);
    EXPECT_EQ(rig.native_key("box/x")->state, meta::NativeState::kLive);
  }
}

TEST(Offload, WhatACrashLeftOfADeletedObjectGoes) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  rig.far->lie = Lie::kPutStoredThenDies;
  rig.offload(Evict::kYes);
  rig.far->lie = Lie::kNone;
  rig.remove("x");
  EXPECT_EQ(rig.far->memory.count(), 1u);
  rig.collect();
  EXPECT_EQ(rig.far->memory.count(), 0u);
  EXPECT_FALSE(rig.native_key("box/x").has_value());
}

TEST(Offload, AJobThatWasStoppedGoesOnWithoutSendingAnythingTwice) {
  TierRig rig;
  std::map<std::string, Bytes> all;
  for (int n = 0; n < 40; ++n) {
    const std::string name = "x" + std::to_string(100 + n);
    all[name] = rig.noise(6'000);
    ASSERT_TRUE(rig.put(name, all[name]).ok());
  }
  OffloadSpec spec;
  spec.container = TierRig::box();
  spec.remote = "far";
  spec.evict = Evict::kYes;
  const auto id = rig.run(submit_offload(*rig.scheduler, rig.services, spec));
  ASSERT_TRUE(id.ok());
  int puts = 0;
  OneShot<void> halfway;
  rig.far->hook = [&](Step at, std::string) {
    if (at == Step::kPut && ++puts == 15) halfway.set({});
    return nothing();
  };
  ASSERT_TRUE(rig.run(halfway.wait()).ok());
  rig.stop_jobs();
  const std::uint64_t sent = rig.far->memory.puts();
  EXPECT_LT(sent, 40u);
  rig.far->hook = {};
  rig.start_jobs();
  const jobs::Job job = rig.wait(*id);
  EXPECT_EQ(job.state, jobs::JobState::kDone);
  EXPECT_EQ(job.starts, 2u);
  EXPECT_EQ(job.progress.objects_done + job.progress.objects_skipped, 40u);
  EXPECT_EQ(rig.far->memory.puts(), 40u);
  for (const auto& [name, bytes] : all) EXPECT_EQ(*rig.get(name), bytes);
}

}  // namespace
}  // namespace tombolo::tiering
