// Reading objects whose bytes have left the flash.
#include "meta/ops/gens.h"
#include "meta/ops/tier.h"
#include "store/cold_test.h"
#include "store/gen_source.h"
#include "store/recall_gen.h"
#include "store/remote_double_test.h"
#include "store/rewrite_run.h"
#include "store/rig_test.h"

namespace tombolo::store {
namespace {

using testing::kTenant;
using testing::make_cold;
using testing::part;
using testing::RemoteDouble;
using testing::Rig;

struct ColdRig : Rig {
  explicit ColdRig(testing::RigOptions options = {}) : Rig(options) { remotes.set("cloud", cloud); }

  void evict(const meta::Object& object, const Bytes& bytes) { place = make_cold(*this, *cloud, object, bytes); }
  meta::Object put_cold(const std::string& name, const Bytes& bytes) {
    const auto object = put(name, bytes);
    EXPECT_TRUE(object.ok());
    evict(*object, bytes);
    return *object;
  }

  std::shared_ptr<RemoteDouble> cloud = std::make_shared<RemoteDouble>("cloud");
  meta::NativePlace place;
};

TEST(ColdRead, EveryRangeComesBackForItsBytesAndAtMost64KiB) {
  ColdRig rig({.limits = {.admit_bytes_max = 0}});
  const Bytes bytes = rig.noise(16 * kMiB + 50'001);
  rig.put_cold("a", bytes);
  std::uint64_t seed = 5;
  for (int n = 0; n < 60; ++n) {
    seed = seed * 6'364'136'223'846'793'005ull + 1'442'695'040'888'963'407ull;
    const std::uint64_t offset = n == 0 ? 8 * kMiB - 1 : (seed >> 20) % bytes.size();
    const std::uint64_t length = 1 + (seed >> 40) % (n % 3 == 0 ? 9 * kMiB : 40'000);
    const Bytes expected = part(bytes, offset, length);
    rig.cloud->reset_counts();
    const auto got = rig.get("a", ByteRange{offset, length});
    ASSERT_TRUE(got.ok()) << to_string(got.error());
    ASSERT_EQ(*got, expected) << "offset " << offset << " length " << length;
    EXPECT_EQ(rig.cloud->gets(), 1u);
    EXPECT_LE(rig.cloud->bytes_asked(), expected.size() + 64 * kKiB);
  }
}

TEST(ColdRead, TheWholeStreamsInOneGet) {
  ColdRig rig;
  const Bytes bytes = rig.noise(20 * kMiB);
  rig.put_cold("a", bytes);
  auto reader = rig.open("a");
  ASSERT_TRUE(reader.ok()) << to_string(reader.error());
  EXPECT_LT(rig.cloud->bytes_given(), bytes.size() / 20);
  const auto got = rig.drain(*reader->body);
  ASSERT_TRUE(got.ok()) << to_string(got.error());
  EXPECT_EQ(*got, bytes);
  EXPECT_EQ(rig.cloud->gets(), 1u);
  EXPECT_EQ(rig.cloud->bytes_asked(), bytes.size());
}

TEST(ColdRead, LongOnesAskInBoundedRanges) {
  ColdRig rig({.limits = {.cold_get_bytes_max = 8 * kMiB}});
  const Bytes bytes = rig.noise(20 * kMiB);
  rig.put_cold("a", bytes);
  EXPECT_EQ(rig.got("a"), bytes);
  EXPECT_EQ(rig.cloud->gets(), 3u);
  EXPECT_EQ(rig.cloud->bytes_asked(), bytes.size());
}

TEST(ColdRead, SmallOnesAreAdmittedToTheCache) {
  ColdRig rig;
  const Bytes bytes = rig.noise(1 * kMiB + 3);
  rig.put_cold("a", bytes);
  for (int n = 0; n < 2; ++n) {
    const auto got = rig.get("a", ByteRange{100'000, 40'000});
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(*got, part(bytes, 100'000, 40'000));
    EXPECT_EQ(rig.cloud->gets(), 1u);
  }
}

TEST(ColdRead, ARangeThatIsReadTwiceIsAskedForOnce) {
  ColdRig rig;
  const Bytes bytes = rig.noise(9 * kMiB);
  rig.put_cold("a", bytes);
  const ByteRange range{100'000, 4 * kMiB};
  auto reader = rig.run(rig.store.get_object(Rig::object("a"), range, {}, Reads::kTwice));
  ASSERT_TRUE(reader.ok()) << to_string(reader.error());
  for (int n = 0; n < 3; ++n) {
    const auto got = rig.drain(*reader->body);
    ASSERT_TRUE(got.ok()) << to_string(got.error());
    EXPECT_EQ(*got, part(bytes, 100'000, 4 * kMiB));
    EXPECT_EQ(rig.cloud->gets(), 1u);
    EXPECT_LE(rig.cloud->bytes_asked(), 4 * kMiB + 64 * kKiB);
    ASSERT_TRUE(rig.run(reader->body->rewind()).ok());
  }
  EXPECT_LT(rig.cache.stats().bytes, 5 * kMiB);
}

TEST(ColdRead, ARangeThatIsReadTwiceIsAskedForAgainWhereTheCacheDoesNotHoldIt) {
  ColdRig rig;
  const Bytes bytes = rig.noise(40 * kMiB);  // the cache: 16 MiB
  rig.put_cold("a", bytes);
  auto reader = rig.run(rig.store.get_object(Rig::object("a"), {}, {}, Reads::kTwice));
  ASSERT_TRUE(reader.ok()) << to_string(reader.error());
  for (int n = 0; n < 2; ++n) {
    const auto got = rig.drain(*reader->body);
    ASSERT_TRUE(got.ok()) << to_string(got.error());
    EXPECT_EQ(*got, bytes);
    ASSERT_TRUE(rig.run(reader->body->rewind()).ok());
  }
  EXPECT_LE(rig.cache.stats().bytes, 16 * kMiB);
}

TEST(ColdRead, BlocksOfOddSizesComeBackByTheGranulesOfTheirOwnRuns) {
  ColdRig rig({.limits = {.admit_bytes_max = 0}});
  Bytes all;
  std::vector<BlockChoice> list;
  for (const std::size_t size : {70'001, 10, 4'097, 300'000, 16'384, 1, 8'400'000}) {
    const Bytes block = rig.noise(size);
    const std::string id(1, static_cast<char>('a' + list.size()));
    ASSERT_TRUE(rig.stage("o", id, block).ok());
    all.insert(all.end(), block.begin(), block.end());
    list.push_back({BlockSource::kLatest, id});
  }
  const auto object = rig.commit("o", list);
  ASSERT_TRUE(object.ok());
  rig.evict(*object, all);
  const auto whole = rig.get("o");
  ASSERT_TRUE(whole.ok()) << to_string(whole.error());
  EXPECT_EQ(*whole, all);
  for (const std::uint64_t at : {0ull, 69'999ull, 70'000ull, 70'001ull, 70'011ull, 74'107ull, 374'000ull, 390'500ull}) {
    for (const std::uint64_t length : {1ull, 20'000ull, 400'000ull}) {
      rig.cloud->reset_counts();
      const auto got = rig.get("o", ByteRange{at, length});
      ASSERT_TRUE(got.ok()) << to_string(got.error());
      ASSERT_EQ(*got, part(all, at, length)) << "at " << at << " length " << length;
      EXPECT_LE(rig.cloud->bytes_asked(), got->size() + 64 * kKiB);
    }
  }
}

TEST(ColdRead, WhatChangedOutsideIsNamedAndNeverServed) {
  ColdRig rig;
  const Bytes bytes = rig.noise(300'000);
  rig.put_cold("a", bytes);
  rig.cloud->plant("box/a", rig.noise(300'000));
  const auto changed = rig.open("a");
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().code, Code::kChangedOutside);
  EXPECT_NE(changed.error().message.find("remote \"cloud\", key \"box/a\""), std::string::npos);
  rig.cloud->drop("box/a");
  EXPECT_EQ(rig.open("a").error().code, Code::kChangedOutside);
  rig.remotes.remove("cloud");
  EXPECT_EQ(rig.open("a").error().code, Code::kUnavailable);
}

TEST(ColdRead, ABitFlippedInTheRemoteIsCorrupt) {
  ColdRig rig;
  const Bytes bytes = rig.noise(300'000);
  rig.put_cold("a", bytes);
  rig.cloud->flip("box/a", 40'000);
  EXPECT_EQ(rig.get("a").error().code, Code::kCorrupt);
  EXPECT_EQ(rig.got("a", ByteRange{100'000, 50'000}), part(bytes, 100'000, 50'000));
}

TEST(ColdRead, ABodyThatBreaksOffIsResumed) {
  ColdRig rig;
  const Bytes bytes = rig.noise(3 * kMiB);
  rig.put_cold("a", bytes);
  rig.cloud->break_bodies(2, 700'000);
  EXPECT_EQ(rig.got("a"), bytes);
  EXPECT_EQ(rig.cloud->gets(), 3u);
}

TEST(ColdRead, GoesOnColdWhenTheBytesLeaveMeanwhile) {
  ColdRig rig;
  const Bytes bytes = rig.noise(20 * kMiB);
  const auto object = rig.put("a", bytes);
  ASSERT_TRUE(object.ok());
  auto reader = rig.open("a");
  ASSERT_TRUE(reader.ok());
  const auto runs = rig.run(meta::list_runs(rig.services.cell, kTenant, object->gen, 0, 1));
  rig.evict(*object, bytes);
  ASSERT_TRUE(rig.run(rig.segments.rotate()).ok());
  const auto released = rig.run(rig.segments.release(runs->front().local->segment));
  ASSERT_TRUE(released.ok()) << to_string(released.error());
  ASSERT_TRUE(rig.run(rig.segments.reap()).ok());
  const auto got = rig.drain(*reader->body);
  ASSERT_TRUE(got.ok()) << to_string(got.error());
  EXPECT_EQ(*got, bytes);
  EXPECT_GT(rig.cloud->gets(), 0u);
}

TEST(ColdRead, RecalledRunsAreReadFromFlashAgain) {
  ColdRig rig;
  const Bytes bytes = rig.noise(9 * kMiB);
  const meta::Object object = rig.put_cold("a", bytes);
  const auto recalled = rig.run(recall_gen(rig.services, kTenant, object.gen));
  ASSERT_TRUE(recalled.ok()) << to_string(recalled.error());
  EXPECT_EQ(recalled->bytes, bytes.size());
  EXPECT_EQ(rig.run(recall_gen(rig.services, kTenant, object.gen))->runs, 0u);
  rig.cloud->drop("box/a");
  EXPECT_EQ(rig.got("a"), bytes);
}

TEST(ColdRead, CommittedBlocksThatAreColdCanBeCommittedAgain) {
  ColdRig rig;
  const Bytes one = rig.noise(70'000), two = rig.noise(9'000'000);
  ASSERT_TRUE(rig.stage("o", "1", one).ok());
  ASSERT_TRUE(rig.stage("o", "2", two).ok());
  const auto object = rig.commit("o", {{BlockSource::kLatest, "1"}, {BlockSource::kLatest, "2"}});
  ASSERT_TRUE(object.ok());
  Bytes all = one;
  all.insert(all.end(), two.begin(), two.end());
  rig.evict(*object, all);
  const auto again = rig.commit("o", {{BlockSource::kCommitted, "2"}, {BlockSource::kCommitted, "1"}});
  ASSERT_TRUE(again.ok()) << to_string(again.error());
  rig.cloud->drop("box/o");
  Bytes turned = two;
  turned.insert(turned.end(), one.begin(), one.end());
  EXPECT_EQ(rig.got("o"), turned);
}

struct CommitOfColdBlocks : ::testing::Test {
  void SetUp() override {
    EXPECT_TRUE(rig.stage("o", "1", bytes).ok());
    const auto object = rig.commit("o", first);
    ASSERT_TRUE(object.ok());
    rig.evict(*object, bytes);
    gen = object->gen;
  }
  /// An eviction begins while the blocks come back, `times` times.
  void evict_during_recalls(int times) {
    rig.cloud->before_get([this, left = times]() mutable -> Task<void> {
      if (left-- > 0) {
        CO_TRY(meta::mark_evicted(rig.services.cell, kTenant, gen));
      }
      co_return Result<void>{};
    });
  }

  const std::vector<BlockChoice> first{{BlockSource::kLatest, "1"}};
  const std::vector<BlockChoice> twice{{BlockSource::kCommitted, "1"}, {BlockSource::kCommitted, "1"}};
  ColdRig rig;
  const Bytes bytes = rig.noise(70'000);
  GenId gen;
};

TEST_F(CommitOfColdBlocks, OutlivesAnEvictionThatBeginsMeanwhile) {
  evict_during_recalls(2);
  const auto again = rig.commit("o", twice);
  ASSERT_TRUE(again.ok()) << to_string(again.error());
  Bytes doubled = bytes;
  doubled.insert(doubled.end(), bytes.begin(), bytes.end());
  EXPECT_EQ(rig.got("o"), doubled);
}

TEST_F(CommitOfColdBlocks, IsBusyWhereEvictionsNeverEnd) {
  evict_during_recalls(1'000);
  const auto again = rig.commit("o", twice);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::kBusy) << to_string(again.error());
  EXPECT_EQ(rig.got("o"), bytes);
}

TEST(ColdRead, LocalOnlyNeverAsksTheRemote) {
  ColdRig rig;
  const Bytes bytes = rig.noise(100'000);
  const meta::Object object = rig.put_cold("a", bytes);
  OpenGen what;
  what.tenant = kTenant;
  what.gen = object.gen;
  what.length = bytes.size();
  what.places = Places::kLocalOnly;
  auto source = rig.run(GenSource::open(rig.services, what));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(rig.drain(**source).error().detail, "NotLocal");
  EXPECT_EQ(rig.cloud->gets(), 0u);
}

TEST(ColdRead, ReadBackVerifiesWhatTheRemoteHolds) {
  ColdRig rig;
  const Bytes bytes = rig.noise(9 * kMiB);
  const auto object = rig.put("a", bytes);
  ASSERT_TRUE(object.ok());
  const std::string etag = rig.cloud->plant("other", bytes);
  OpenGen what;
  what.tenant = kTenant;
  what.gen = object->gen;
  what.length = bytes.size();
  what.read_back = meta::NativePlace{.remote = "cloud", .key = "other", .etag = etag, .version_id = ""};
  auto sound = rig.run(GenSource::open(rig.services, what));
  ASSERT_TRUE(sound.ok());
  EXPECT_EQ(*rig.drain(**sound), bytes);
  EXPECT_EQ(rig.cloud->bytes_asked(), bytes.size());
  rig.cloud->flip("other", 5'000'000);
  auto rotten = rig.run(GenSource::open(rig.services, what));
  ASSERT_TRUE(rotten.ok());
  EXPECT_EQ(rig.drain(**rotten).error().code, Code::kCorrupt);
}

Task<void> overwrite(disk::Disk& disk, std::string path, std::uint64_t offset) {
  CO_TRY_ASSIGN(const auto file, disk.open(path, disk::Open::kReadWrite));
  const Bytes junk(100);
  co_return co_await file->write(offset, junk);
}

TEST(ColdRead, RotOnFlashIsReadFromTheNativePlace) {
  ColdRig rig;
  const Bytes bytes = rig.noise(300'000);
  const meta::Object object = rig.put_cold("a", bytes);
  const auto token = rig.run(meta::begin_recall(rig.services.cell, kTenant, object.gen));
  ASSERT_TRUE(token.ok());
  const auto runs = rig.run(meta::list_runs(rig.services.cell, kTenant, object.gen, 0, 1));
  tombolo::BlockSource given(Block{Bytes(bytes)});
  const auto copy = rig.run(rewrite_run(rig.segments, kTenant, runs->front(), given));
  ASSERT_TRUE(copy.ok()) << to_string(copy.error());
  ASSERT_TRUE(rig.run(rig.segments.sync({copy->place.segment})).ok());
  const meta::FilledRun filled{object.gen, 0, {copy->place.segment, copy->place.offset}};
  ASSERT_TRUE(rig.run(meta::fill_local(rig.services.cell, kTenant, object.gen, *token, {filled})).ok());
  const std::string path = data::segment_path(copy->place.segment);
  ASSERT_TRUE(rig.run(overwrite(rig.disk, path, data::data_offset(copy->place.offset) + 200'000)).ok());
  rig.cloud->reset_counts();
  EXPECT_EQ(rig.got("a"), bytes);
  EXPECT_GT(rig.cloud->gets(), 0u);
}

}  // namespace
}  // namespace tombolo::store
