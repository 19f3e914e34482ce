#include "tiering/collector.h"

#include "kv/run.h"
#include "kv/tables.h"
#include "meta/keys/keys.h"
#include "meta/ops/admin_rows.h"
#include "meta/ops/containers.h"
#include "meta/ops/gens.h"
#include "meta/ops/purge.h"
#include "meta/ops/uploads.h"
#include "store/ops/resolve.h"
#include "tiering/rig_test.h"

namespace tombolo::tiering {
namespace {

using testing::at_once;
using testing::gen_is_there;
using testing::kTenant;
using testing::small_segments;
using testing::TierRig;

TEST(Collector, AGenDiesInTwoPhasesWithTheGraceBetween) {
  TierRig rig;
  ASSERT_TRUE(rig.put("x", rig.noise(100'000)).ok());
  const GenId gen = rig.head("x")->gen;
  rig.remove("x");
  CollectorOptions options;
  options.grace = std::chrono::seconds(5);
  Collector collector(rig.services, rig.loop.get_executor(), options);
  rig.clock.advance(std::chrono::seconds(6));
  ASSERT_TRUE(*rig.run(collector.pass()));
  ASSERT_TRUE(gen_is_there(rig, gen));
  EXPECT_EQ((*rig.run(meta::get_gen(rig.services.cell, kTenant, gen)))->state, meta::GenState::kCondemned);
  rig.clock.advance(std::chrono::seconds(3));
  EXPECT_FALSE(*rig.run(collector.pass()));
  EXPECT_TRUE(gen_is_there(rig, gen));
  rig.clock.advance(std::chrono::seconds(3));
  EXPECT_TRUE(*rig.run(collector.pass()));
  EXPECT_FALSE(gen_is_there(rig, gen));
  EXPECT_EQ(collector.stats().gens_erased, 1u);
}

TEST(Collector, AReaderKeepsAGenUntilItHasGone) {
  TierRig rig;
  const Bytes bytes = rig.noise(3 * kMiB);
  ASSERT_TRUE(rig.put("x", bytes).ok());
  const GenId gen = rig.head("x")->gen;
  {
    auto reader = rig.open("x");
    ASSERT_TRUE(reader.ok());
    rig.remove("x");
    for (int n = 0; n < 5; ++n) ASSERT_TRUE(rig.run(rig.collector.pass()).ok());
    EXPECT_TRUE(gen_is_there(rig, gen));
    EXPECT_EQ(*rig.drain(*reader->body), bytes);
  }
  rig.collect();
  EXPECT_FALSE(gen_is_there(rig, gen));
}

TEST(Collector, DiskUseFollowsTheLiveBytes) {
  TierRig rig(small_segments());
  std::map<std::string, Bytes> all;
  std::uint64_t live = 0;
  for (int n = 0; n < 400; ++n) {
    const std::string name = "x" + std::to_string(n);
    all[name] = rig.noise(20'000 + rig.random.below(60'000));
    ASSERT_TRUE(rig.put(name, all[name]).ok());
  }
  for (auto object = all.begin(); object != all.end();) {
    if (rig.random.below(2) == 0) {
      live += object->second.size();
      ++object;
      continue;
    }
    rig.remove(object->first);
    object = all.erase(object);
  }
  rig.collect();
  EXPECT_LE(rig.segments.file_bytes(), live * 13 / 10 + kMiB);
  EXPECT_GT(rig.collector.stats().segments_compacted, 0u);
  for (const auto& [name, bytes] : all) EXPECT_EQ(*rig.get(name), bytes) << name;
  for (const auto& [name, bytes] : all) EXPECT_TRUE(rig.readable_locally(name)) << name;
  for (const auto& [name, bytes] : all) rig.remove(name);
  rig.collect();
  EXPECT_EQ(rig.segments.file_bytes(), 0u) << "with nothing live, nothing is left, the open segment included";
}

TEST(Collector, CompactionGoesOnWhileItsReadersRead) {
  TierRig rig(small_segments());
  const Bytes kept = rig.noise(300'000);
  ASSERT_TRUE(rig.put("dead1", rig.noise(300'000)).ok());
  ASSERT_TRUE(rig.put("kept", kept).ok());
  ASSERT_TRUE(rig.put("dead2", rig.noise(500'000)).ok());
  ASSERT_TRUE(rig.put("next", rig.noise(100)).ok());
  rig.remove("dead1");
  rig.remove("dead2");
  {
    auto reader = rig.open("kept");
    ASSERT_TRUE(reader.ok());
    Bytes read;
    const auto first = rig.run(reader->body->next());
    ASSERT_TRUE(first.ok());
    read = to_bytes(first->view());
    for (int n = 0; n < 6; ++n) ASSERT_TRUE(rig.run(rig.collector.pass()).ok());
    EXPECT_GT(rig.collector.stats().bytes_moved, 0u);
    const auto rest = rig.drain(*reader->body);
    ASSERT_TRUE(rest.ok()) << to_string(rest.error());
    read.insert(read.end(), rest->begin(), rest->end());
    EXPECT_EQ(read, kept);
  }
  rig.collect();
  EXPECT_TRUE(rig.readable_locally("kept"));
  EXPECT_LE(rig.segments.file_bytes(), 420'000u);
}

/// `free_bytes`: what is left of the disk then, where it is less than stores leave.
void free_a_full_disk(std::optional<std::uint64_t> free_bytes) {
  TierRig rig(small_segments());  // keeps 1 MiB free
  std::map<std::string, Bytes> all;
  rig.disk.set_limit(12 * kMiB);
  for (int n = 0;; ++n) {
    const std::string name = "x" + std::to_string(n);
    Bytes bytes = rig.noise(100'000);
    const auto put = rig.put(name, bytes);
    if (!put.ok()) {
      ASSERT_EQ(put.error().code, Code::kNoSpace);
      break;
    }
    all[name] = std::move(bytes);
    ASSERT_LT(n, 1'000);
  }
  // A third of every segment: no segment is empty, so only compaction helps.
  int n = 0;
  for (auto object = all.begin(); object != all.end();) {
    if (++n % 3 != 0) {
      ++object;
      continue;
    }
    rig.remove(object->first);
    object = all.erase(object);
  }
  if (free_bytes) {
    const disk::Space space = *rig.run(rig.disk.space());
    rig.disk.set_limit(space.total_bytes - space.free_bytes + *free_bytes);
  }
  rig.collect();
  EXPECT_GT(rig.collector.stats().segments_compacted, 0u);
  EXPECT_TRUE(rig.put("new", rig.noise(100'000)).ok());
  for (const auto& [name, bytes] : all) EXPECT_EQ(*rig.get(name), bytes) << name;
}

TEST(Collector, CompactionFreesSpaceOnADiskThatIsFullForOthers) {
  free_a_full_disk({});
}

TEST(Collector, CompactionNeedsNoRoomForAWholeSegment) {
  free_a_full_disk(900 * kKiB);
}

TEST(Collector, ADamagedRunStaysWhereItIsAndStopsNothing) {
  TierRig rig(small_segments());
  ASSERT_TRUE(rig.put("bad", rig.noise(200'000)).ok());
  ASSERT_TRUE(rig.put("dead", rig.noise(500'000)).ok());
  const Bytes good = rig.noise(200'000);
  ASSERT_TRUE(rig.put("good", good).ok());
  ASSERT_TRUE(rig.put("after", rig.noise(600'000)).ok());
  const GenId gen = rig.head("bad")->gen;
  const auto runs = rig.run(meta::list_runs(rig.services.cell, kTenant, gen, 0, 1));
  const meta::LocalPlace place = *runs->front().local;
  auto file = *rig.run(rig.disk.open(data::segment_path(place.segment), disk::Open::kReadWrite));
  Bytes one(1);
  ASSERT_TRUE(rig.run(file->read(place.offset + 1'000, one)).ok());
  one[0] ^= std::byte{1};
  ASSERT_TRUE(rig.run(file->write(place.offset + 1'000, one)).ok());
  rig.remove("dead");
  rig.collect();
  EXPECT_EQ(*rig.get("good"), good);
  EXPECT_EQ(rig.get("bad").error().code, Code::kCorrupt);
}

TEST(Collector, ADeletedContainerLeavesNothing) {
  TierRig rig(small_segments());
  for (int n = 0; n < 30; ++n) ASSERT_TRUE(rig.put("x" + std::to_string(n), rig.noise(50'000)).ok());
  ASSERT_TRUE(rig.stage("staged", "aaa", rig.noise(50'000)).ok());
  EXPECT_EQ(rig.offload(Evict::kYes, "x1").progress.objects_done, 11u);
  ASSERT_EQ(rig.far->memory.count(), 11u);
  ASSERT_TRUE(rig.run(rig.store.delete_container(TierRig::box(), {})).ok());
  rig.collect();
  EXPECT_EQ(rig.far->memory.count(), 0u);
  EXPECT_EQ(rig.collector.stats().remote_deleted, 11u);
  EXPECT_EQ(rig.segments.file_bytes(), 0u);
  EXPECT_EQ(rig.cold_bytes(), 0u);
  const auto natives = rig.run(meta::list_native_keys(rig.services.cell, kTenant, "far", {}, 10));
  EXPECT_TRUE(natives->empty());
  for (unsigned shard = 0; shard < meta::kCandidateShards; ++shard) {
    const auto now = rig.run(rig.stamper.next());
    EXPECT_TRUE(rig.run(meta::list_candidates(rig.services.cell, {.shard = shard, .before = *now}))->rows.empty());
  }
}

TEST(Collector, TheChangeFeedIsKeptForAWeek) {
  TierRig rig;
  const auto records = [&rig] {
    const auto snapshot = rig.engine.snapshot();
    const std::string feed = kv::table_prefix(kv::Table::kFeed);
    return rig.run(snapshot->range({.begin = feed, .end = kv::prefix_end(feed)}))->rows.size();
  };
  constexpr auto kDay = std::chrono::hours(24);
  for (int n = 0; n < 40; ++n) ASSERT_TRUE(rig.put("old" + std::to_string(n), rig.noise(10)).ok());
  rig.clock.advance(5 * kDay);
  rig.collect();
  const std::size_t old = records();
  EXPECT_GE(old, 40u);
  for (int n = 0; n < 30; ++n) ASSERT_TRUE(rig.put("new" + std::to_string(n), rig.noise(10)).ok());
  rig.clock.advance(3 * kDay);
  rig.collect();
  EXPECT_EQ(records(), 30u);
}

TEST(Collector, UploadsThatNobodyFinishedExpireAfterSevenDays) {
  TierRig rig(small_segments());
  meta::Account account;
  account.name = "acc";
  account.tenant = kTenant;
  ASSERT_TRUE(rig.run(meta::create_tenant(rig.services.cell, {kTenant, "t", {}})).ok());
  ASSERT_TRUE(rig.run(meta::put_account(rig.services.cell, account, meta::PutMode::kCreate)).ok());
  ASSERT_TRUE(rig.stage("x", "aaa", rig.noise(100'000)).ok());
  rig.clock.advance(std::chrono::hours(24 * 6));
  rig.collect();
  EXPECT_EQ(rig.names(store::Include::kUncommitted).size(), 1u);
  rig.clock.advance(std::chrono::hours(24 * 2));
  rig.collect();
  EXPECT_TRUE(rig.names(store::Include::kUncommitted).empty());
  EXPECT_EQ(rig.segments.file_bytes(), 0u);
}

TEST(Collector, UploadsOfLongNamesExpireInOnePassToo) {
  TierRig rig;
  meta::Account account;
  account.name = "acc";
  account.tenant = kTenant;
  ASSERT_TRUE(rig.run(meta::create_tenant(rig.services.cell, {kTenant, "t", {}})).ok());
  ASSERT_TRUE(rig.run(meta::put_account(rig.services.cell, account, meta::PutMode::kCreate)).ok());
  const std::string common(2'000, 'n');
  for (int n = 0; n < 700; ++n) ASSERT_TRUE(rig.stage(common + std::to_string(n), "aaa", rig.noise(10)).ok());
  rig.clock.advance(std::chrono::hours(24 * 8));
  ASSERT_TRUE(rig.run(rig.collector.pass()).ok());
  EXPECT_TRUE(rig.names(store::Include::kUncommitted).empty());
}

TEST(Collector, WhatADeadProcessWasWritingGoesAndTheLivingAreLeftAlone) {
  TierRig rig;
  const auto dead = rig.run(rig.ids.next_id<GenId>());
  ASSERT_TRUE(rig.run(meta::create_gen(rig.services.cell, kTenant, *dead, meta::GenShape::kRuns)).ok());
  rig.collect();
  EXPECT_TRUE(gen_is_there(rig, *dead)) << "its writer is at work";
  ASSERT_TRUE(rig.run(rig.ids.recover()).ok());  // the process starts again
  const auto alive = rig.run(rig.ids.next_id<GenId>());
  ASSERT_TRUE(rig.run(meta::create_gen(rig.services.cell, kTenant, *alive, meta::GenShape::kRuns)).ok());
  rig.collect();
  EXPECT_FALSE(gen_is_there(rig, *dead));
  EXPECT_TRUE(gen_is_there(rig, *alive));
}

TEST(Collector, RunsInTheBackgroundUntilItIsStopped) {
  TierRig rig;
  CollectorOptions options = at_once();
  options.interval = std::chrono::milliseconds(1);
  Collector collector(rig.services, rig.loop.get_executor(), options);
  collector.start();
  ASSERT_TRUE(rig.put("x", rig.noise(100'000)).ok());
  const GenId gen = rig.head("x")->gen;
  rig.remove("x");
  for (int n = 0; n < 1'000 && gen_is_there(rig, gen); ++n) {
    ASSERT_TRUE(rig.run(sleep_for(std::chrono::milliseconds(1))).ok());
  }
  EXPECT_FALSE(gen_is_there(rig, gen));
  ASSERT_TRUE(rig.run(collector.stop()).ok());
}

}  // namespace
}  // namespace tombolo::tiering
