// The collector beside what is broken: rows that do not decode, purges and gens that come upon damage.
#include "kv/run.h"
#include "meta/keys/keys.h"
#include "meta/ops/containers.h"
#include "meta/ops/gens.h"
#include "meta/ops/purge.h"
#include "store/ops/resolve.h"
#include "tiering/collector.h"
#include "tiering/evict.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::at_once;
using testing::gen_is_there;
using testing::kTenant;
using testing::TierRig;

Task<void> overwrite(kv::Transaction& txn, std::string key, std::string value) {
  if (const auto guard = meta::keys::guard_of(key)) {
    CO_TRY(txn.guard_shared(*guard));
  }
  txn.put(std::move(key), std::move(value));
  co_return Result<void>{};
}

class DamagedRig : public TierRig {
 public:
  void damage(std::string key) {
    auto body = [&key](kv::Transaction& txn) { return overwrite(txn, key, "rubbish"); };
    ASSERT_TRUE(run(kv::run(engine, random, body)).ok());
  }
  meta::ContainerKey container(const std::string& name) {
    store::ContainerRef ref = box();
    ref.container = name;
    return *run(store::find_container(services.cell, ref));
  }
  void remove_container(const std::string& name) {
    store::ContainerRef ref = box();
    ref.container = name;
    ASSERT_TRUE(run(store.delete_container(ref, {})).ok());
  }
  /// Containers that are deleted, with a row that does not decode.
  void remove_broken_containers(int count) {
    for (int n = 0; n < count; ++n) {
      store::ContainerRef ref = box();
      ref.container = "broken" + std::to_string(n);
      ASSERT_TRUE(run(store.create_container(ref, {})).ok());
      damage(meta::keys::object(container(ref.container), "x"));
      remove_container(ref.container);
    }
  }
  bool container_is_there(meta::ContainerKey key) { return run(meta::find_container(services.cell, key))->has_value(); }
  /// Gens that nobody names, the rows of the first `broken` of which do not decode.
  std::vector<GenId> dead_gens(int count, int broken) {
    std::vector<GenId> gens;
    for (int n = 0; n < count; ++n) {
      const std::string name = "x" + std::to_string(n);
      EXPECT_TRUE(put(name, noise(5'000)).ok());
      gens.push_back(head(name)->gen);
    }
    for (int n = 0; n < count; ++n) {
      remove("x" + std::to_string(n));
      if (n < broken) damage(meta::keys::gen(kTenant, gens[static_cast<std::size_t>(n)]));
    }
    return gens;
  }
};

TEST(CollectorDamage, OneGenThatCannotBeReadLeavesTheOthersToBeCollected) {
  DamagedRig rig;
  const auto gens = rig.dead_gens(100, 1);  // queued first: all of its shard come after it
  EXPECT_FALSE(rig.run(rig.collector.pass()).ok()) << "it is told";
  ASSERT_TRUE(rig.run(rig.collector.pass()).ok());
  for (std::size_t n = 1; n < gens.size(); ++n) EXPECT_FALSE(gen_is_there(rig, gens[n])) << n;
  rig.clock.advance(std::chrono::minutes(2));
  EXPECT_FALSE(rig.run(rig.collector.pass()).ok()) << "and told again";
}

TEST(CollectorDamage, AGenThatStaysBrokenIsTriedLessAndLessOften) {
  DamagedRig rig;
  rig.dead_gens(1, 1);
  int told = 0;
  for (int minutes = 0; minutes < 24 * 60; ++minutes) {
    told += rig.run(rig.collector.pass()).ok() ? 0 : 1;
    rig.clock.advance(std::chrono::minutes(1));
  }
  EXPECT_GT(told, 20);
  EXPECT_LT(told, 40);
}

TEST(CollectorDamage, NorDoCandidatesThatCannotBeRead) {
  DamagedRig rig;
  const std::vector<GenId> gens = rig.dead_gens(100, 0);
  for (unsigned shard = 0; shard < meta::kCandidateShards; ++shard) {
    rig.damage(meta::keys::candidate({.shard = shard, .queued = {1}, .id = 7, .kind = meta::CandidateKind::kNative}));
  }
  while (*rig.run(rig.collector.pass())) {
  }
  for (const GenId gen : gens) EXPECT_FALSE(gen_is_there(rig, gen));
}

TEST(CollectorDamage, APurgeThatFailsLeavesTheOthersToBeDone) {
  DamagedRig rig;
  rig.remove_broken_containers(1);
  ASSERT_TRUE(rig.put("x", rig.noise(5'000)).ok());
  const auto sound = rig.container("box");
  rig.damage(meta::keys::purge(meta::PurgeEntry{.queued = {1}}));
  rig.remove_container("box");
  EXPECT_FALSE(rig.run(rig.collector.pass()).ok()) << "it is told";
  EXPECT_EQ(rig.run(meta::list_purges(rig.services.cell, 10))->rows.size(), 1u);
  EXPECT_FALSE(rig.container_is_there(sound));
}

TEST(CollectorDamage, NorDoMany) {
  for (const Duration interval : {std::chrono::seconds(5), std::chrono::seconds(90)}) {
    DamagedRig rig;
    rig.remove_broken_containers(300);
    for (std::uint64_t n = 0; n < 1'100; ++n) rig.damage(meta::keys::purge(meta::PurgeEntry{.queued = {1 + n}}));
    const auto sound = rig.container("box");
    rig.remove_container("box");
    CollectorOptions options = at_once();
    options.interval = interval;
    Collector collector(rig.services, rig.loop.get_executor(), options);
    int passes = 0;
    for (; rig.container_is_there(sound) && passes < 10; ++passes) {
      (void)rig.run(collector.pass());
      rig.clock.advance(interval);
    }
    EXPECT_LT(passes, 5) << "a hundred damaged ones are looked at in each";
  }
}

TEST(CollectorDamage, AnEvictionIsNotFailedByPurgesOfOthers) {
  DamagedRig rig;
  for (int n = 0; n < 30; ++n) {
    const std::string name = "broken" + std::to_string(n);
    ASSERT_TRUE(rig.stage(name, "aaa", rig.noise(10)).ok());
    ASSERT_TRUE(rig.commit(name, {{store::BlockSource::kLatest, "aaa"}}).ok());
  }
  {
    const auto page = *rig.run(meta::list_purges(rig.services.cell, 100));
    ASSERT_EQ(page.rows.size(), 30u);
    for (const meta::PurgeEntry& entry : page.rows) {
      const meta::ContainerKey container{entry.tenant, entry.container};
      rig.damage(meta::keys::staged_block(container, entry.upload, "aaa"));
    }
  }
  ASSERT_TRUE(rig.stage("mine", "aaa", rig.noise(100'000)).ok());
  ASSERT_TRUE(rig.commit("mine", {{store::BlockSource::kLatest, "aaa"}}).ok());
  const jobs::Job job = rig.offload(Evict::kYes, "mine");
  EXPECT_EQ(job.progress.objects_done, 1u) << job.error;
  EXPECT_FALSE(rig.readable_locally("mine"));
}

TEST(Evict, StopsBetweenThePurgesOfOthersWhenItIsAsked) {
  TierRig rig;
  constexpr unsigned kOthers = 50, kAnswers = 10;
  for (unsigned n = 0; n < kOthers; ++n) {
    const std::string name = "x" + std::to_string(n);
    ASSERT_TRUE(rig.stage(name, "aaa", rig.noise(10)).ok());
    ASSERT_TRUE(rig.commit(name, {{store::BlockSource::kLatest, "aaa"}}).ok());
  }
  ASSERT_TRUE(rig.stage("mine", "aaa", rig.noise(100'000)).ok());
  ASSERT_TRUE(rig.commit("mine", {{store::BlockSource::kLatest, "aaa"}}).ok());
  ASSERT_EQ(rig.offload(Evict::kNo, "mine").progress.objects_done, 1u);
  unsigned asked = 0;
  const StopAsked stop = [&asked] { return ++asked > kAnswers; };
  const auto evicted = rig.run(evict_gen(rig.services, kTenant, rig.gen_of("mine").id, stop));
  ASSERT_FALSE(evicted.ok());
  EXPECT_EQ(evicted.error().code, Code::kCancelled);
  EXPECT_GE(rig.run(meta::list_purges(rig.services.cell, 100))->rows.size(), kOthers - kAnswers);
}

// --- the loop

class LoopRig : public DamagedRig {
 public:
  /// Runs it while an interval, which is long, is never over, until `done`, for some seconds at most; gives its log.
  std::string run_until(const std::function<bool()>& done) {
    CollectorOptions options = at_once();
    options.interval = std::chrono::hours(1);
    Collector looping(services, loop.get_executor(), options);
    ::testing::internal::CaptureStderr();
    looping.start();
    for (int n = 0; n < 5'000 && !done(); ++n) EXPECT_TRUE(run(sleep_for(std::chrono::milliseconds(1))).ok());
    EXPECT_TRUE(run(sleep_for(std::chrono::milliseconds(50))).ok());
    EXPECT_TRUE(run(looping.stop()).ok());
    return ::testing::internal::GetCapturedStderr();
  }
};

std::size_t times(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(CollectorDamage, TheLoopGoesOnAtOnceBesideAStepThatFailsAndSaysSoOnce) {
  LoopRig rig;
  const std::vector<GenId> gens = rig.dead_gens(20, 0);
  rig.damage(data::segment_key(SegmentId{1'000}));  // no segment can be collected
  const std::string log = rig.run_until(
      [&] { return std::none_of(gens.begin(), gens.end(), [&](GenId gen) { return gen_is_there(rig, gen); }); });
  for (const GenId gen : gens) EXPECT_FALSE(gen_is_there(rig, gen));
  EXPECT_EQ(times(log, "garbage collection: corrupt"), 1u) << log;
  EXPECT_EQ(times(log, "going on beside it"), 1u) << log;
}

TEST(CollectorDamage, TheLoopWaitsWhereNothingElseIsToBeDone) {
  LoopRig rig;
  rig.damage(data::segment_key(SegmentId{1'000}));
  int looks = 0;
  const std::string log = rig.run_until([&looks] { return ++looks == 300; });
  EXPECT_EQ(times(log, "trying again later"), 1u) << log;
}

TEST(CollectorDamage, AShardThatFailsHidesNotThatOthersHaveSomethingToDo) {
  LoopRig rig;
  const std::vector<GenId> gens = rig.dead_gens(50, 1);
  rig.run_until(
      [&] { return std::none_of(gens.begin() + 1, gens.end(), [&](GenId gen) { return gen_is_there(rig, gen); }); });
  for (std::size_t n = 1; n < gens.size(); ++n) EXPECT_FALSE(gen_is_there(rig, gens[n])) << n;
}

}  // namespace
}  // namespace tombolo::tiering
