// What counts as done, skipped and failed, above all where garbage collection looks at the same gen.
#include "tiering/walk_job.h"

#include "async/scope.h"
#include "tiering/pin_gen.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using namespace std::chrono_literals;
using testing::kTenant;
using testing::TierRig;

Task<WorkDone> fail(Error error) {
  co_return error;
}

class OneKind {
 public:
  OneKind(TierRig& rig, const Error& error) : OneKind(rig, [error](const meta::Object&) { return fail(error); }) {}
  OneKind(TierRig& rig, std::function<Task<WorkDone>(const meta::Object&)> one) : rig_(rig) {
    scheduler_.register_kind("fail", [this, one](jobs::JobContext& context) {
      WalkSpec spec;
      spec.container = container_;
      ObjectWork work = [this, one](const meta::Object& object) {
        ++tries;
        return one(object);
      };
      return walk_objects(context, rig_.services, std::move(spec), std::move(work));
    });
    const auto box = rig_.run(rig_.store.get_container(TierRig::box()));
    EXPECT_TRUE(box.ok());
    container_ = meta::key_of(*box);
    EXPECT_TRUE(rig_.run(scheduler_.start()).ok());
  }
  ~OneKind() { EXPECT_TRUE(rig_.run(scheduler_.stop()).ok()); }

  jobs::Progress result() {
    const JobId id = *rig_.run(scheduler_.submit("fail", "fail", ""));
    while (true) {
      const jobs::Job job = *rig_.run(scheduler_.get(id));
      if (jobs::ended(job.state)) return job.progress;
      EXPECT_TRUE(rig_.run(sleep_for(1ms)).ok());
    }
  }
  int tries = 0;

 private:
  TierRig& rig_;
  meta::ContainerKey container_;
  jobs::Scheduler scheduler_{rig_.engine, rig_.clock, rig_.random, rig_.loop.get_executor()};
};

TEST(Walk, OnlyAClientsChangeCountsAsSkipped) {
  const struct {
    Error error;
    bool skipped;
    int tries;
  } cases[] = {
      {{Code::kNotFound, "gone", "GenGone"}, true, 1},
      {{Code::kConditionFailed, "moved", "GenMoved"}, true, 1},
      {{Code::kBusy, "garbage collection looks at the gen", "GenGone"}, false, 3},
      {{Code::kUnavailable, "away"}, false, 3},
      {{Code::kPermissionDenied, "no"}, false, 1},
      {{Code::kCorrupt, "rotten"}, false, 1},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(to_string(each.error));
    TierRig rig;
    ASSERT_TRUE(rig.put("x", rig.noise(10)).ok());
    OneKind kind(rig, each.error);
    const jobs::Progress progress = kind.result();
    EXPECT_EQ(progress.objects_skipped, each.skipped ? 1u : 0u);
    EXPECT_EQ(progress.objects_failed, each.skipped ? 0u : 1u);
    EXPECT_EQ(kind.tries, each.tries);
  }
}

Task<WorkDone> skip() {
  co_return WorkDone{};
}

/// A legal hold on every other object, or the remote away for them: what lies between them needs nothing.
TEST(Walk, RefusalsOfSingleObjectsDoNotEndIt) {
  constexpr int kObjects = 60;
  for (const Code code : {Code::kPermissionDenied, Code::kNoSpace}) {
    TierRig rig;
    for (int n = 0; n < kObjects; ++n) ASSERT_TRUE(rig.put(std::to_string(100 + n), rig.noise(10)).ok());
    OneKind kind(rig, [code](const meta::Object& object) {
      return object.name.back() % 2 == 0 ? skip() : fail(Error{code, "no"});
    });
    const jobs::Progress progress = kind.result();
    if (code == Code::kPermissionDenied) {
      EXPECT_EQ(progress.objects_failed + progress.objects_skipped, kObjects);
    } else {
      EXPECT_LT(progress.objects_failed + progress.objects_skipped, kObjects) << "it gives up";
    }
  }
}

Task<void> release_later(std::optional<store::GenPins::Handle> claim, Duration after) {
  CO_TRY(sleep_for(after));
  claim.reset();
  co_return Result<void>{};
}

TEST(Walk, AGenThatGarbageCollectionLooksAtIsWaitedFor) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  const GenId gen = rig.head("x")->gen;
  Scope scope("claims");
  scope.spawn(rig.loop.get_executor(), release_later(rig.pins.claim(kTenant, gen), 60ms));
  EXPECT_EQ(rig.offload(Evict::kYes).progress.objects_done, 1u);
  EXPECT_FALSE(rig.readable_locally("x"));
  scope.spawn(rig.loop.get_executor(), release_later(rig.pins.claim(kTenant, gen), 60ms));
  EXPECT_EQ(rig.recall().progress.objects_done, 1u);
  EXPECT_TRUE(rig.readable_locally("x"));
  ASSERT_TRUE(rig.run(scope.join()).ok());
}

TEST(Walk, AGenThatStaysClaimedIsAFailureAndADeadOneIsNot) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(50'000)).ok());
  const GenId gen = rig.head("x")->gen;
  {
    const auto claim = rig.pins.claim(kTenant, gen);
    const auto pin = rig.run(pin_gen(rig.services, kTenant, gen, 0ms));
    ASSERT_FALSE(pin.ok());
    EXPECT_EQ(pin.error().code, Code::kBusy);
    EXPECT_TRUE(pin.error().detail.empty());
  }
  rig.remove("x");
  rig.collect();
  const auto pin = rig.run(pin_gen(rig.services, kTenant, gen, 0ms));
  ASSERT_TRUE(pin.ok());
  EXPECT_FALSE(pin->has_value());
}

}  // namespace
}  // namespace tombolo::tiering
