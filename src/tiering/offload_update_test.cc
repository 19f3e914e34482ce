// `remote update` while an offload runs: nothing leaves flash for a copy where nobody will look for it.
#include "async/scope.h"
#include "tiering/offload.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::HookedRemote;
using testing::nothing;
using testing::Step;
using testing::TierRig;

/// Puts another place under the remote's name once `step` has been reached.
std::shared_ptr<HookedRemote> replaced_at(TierRig& rig, Step step) {
  auto other = std::make_shared<HookedRemote>("far", rig.clock);
  rig.far->hook = [&rig, other, step](Step at, std::string) {
    if (at == step) rig.remotes.set("far", other);
    return nothing();
  };
  return other;
}

TEST(OffloadUpdate, WhatWasOnItsWayToTheOldPlaceIsCopiedToTheNewOneBeforeItLeavesFlash) {
  for (const Step step : {Step::kPut, Step::kAfterPut, Step::kAfterGet}) {
    SCOPED_TRACE(static_cast<int>(step));
    TierRig rig;
    rig.parallel = 1;
    rig.stop_jobs();
    rig.start_jobs();
    std::map<std::string, Bytes> all;
    for (const std::string name : {"a", "b", "c"}) {
      all[name] = rig.noise(50'000);
      ASSERT_TRUE(rig.put(name, all[name]).ok());
    }
    const auto other = replaced_at(rig, step);
    const jobs::Job job = rig.offload(Evict::kYes);
    EXPECT_EQ(job.progress.objects_done, 3u) << job.error;
    EXPECT_EQ(rig.far->memory.puts(), 1u);
    EXPECT_EQ(other->memory.puts(), 3u) << "the one on its way, and those after it";
    EXPECT_EQ(rig.cold_bytes(), 150'000u);
    for (const auto& [name, bytes] : all) EXPECT_EQ(*rig.get(name), bytes) << name;
  }
}

TEST(OffloadUpdate, WhatTheOldPlaceStillHasIsNoReasonToEvict) {
  TierRig rig;
  const Bytes bytes = rig.noise(50'000);
  ASSERT_TRUE(rig.put("x", bytes).ok());
  ASSERT_EQ(rig.offload(Evict::kNo).progress.objects_done, 1u);
  const auto other = replaced_at(rig, Step::kHead);
  const jobs::Job job = rig.offload(Evict::kYes);
  EXPECT_EQ(job.progress.objects_failed, 1u);
  EXPECT_EQ(rig.cold_bytes(), 0u);
  EXPECT_EQ(*rig.get("x"), bytes);
}

Task<void> open_later(TierRig& rig) {
  CO_TRY(sleep_for(std::chrono::milliseconds(300)));
  rig.remotes.opened("far", std::shared_ptr<remote::Remote>(rig.far));
  co_return Result<void>{};
}

/// As after a start, while the directory of a remote is on its way to being opened.
TEST(OffloadUpdate, AJobWaitsForARemoteThatIsBeingOpened) {
  TierRig rig;
  for (const std::string name : {"a", "b", "c"}) ASSERT_TRUE(rig.put(name, rig.noise(50'000)).ok());
  Scope later("test");
  int puts = 0;
  rig.far->hook = [&](Step at, std::string) {
    if (at == Step::kPut && ++puts == 1) {
      rig.remotes.set_opening("far");
      later.spawn(rig.loop.get_executor(), open_later(rig));
    }
    return nothing();
  };
  const jobs::Job job = rig.offload(Evict::kYes);
  EXPECT_EQ(job.state, jobs::JobState::kDone) << job.error;
  EXPECT_EQ(job.progress.objects_done, 3u);
  EXPECT_EQ(job.progress.objects_failed, 0u) << job.error;
  EXPECT_TRUE(rig.run(later.close()).ok());
}

TEST(OffloadUpdate, WhatAnOpeningComesToIsTooLateOnceSomebodyElseHasDecided) {
  TierRig rig;
  rig.remotes.set_opening("far");
  EXPECT_EQ(rig.remotes.find("far").error().detail, store::kRemoteOpening);
  rig.remotes.set("far", rig.far);
  rig.remotes.opened("far", Error{Code::kUnavailable, "gone"});
  EXPECT_TRUE(rig.remotes.find("far").ok());
}

}  // namespace
}  // namespace tombolo::tiering
