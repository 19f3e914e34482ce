// Reading while names and places move.
#include <thread>

#include "kv/run.h"
#include "meta/model/codec.h"
#include "meta/ops/gens.h"
#include "meta/ops/tier.h"
#include "store/gen_source.h"
#include "store/rewrite_run.h"
#include "store/rig_test.h"

namespace tombolo::store {
namespace {

using testing::kTenant;
using testing::part;
using testing::Rig;

TEST(GetObject, NamesWhatIsMissing) {
  Rig rig;
  EXPECT_EQ(rig.get("no").error().detail, "BlobNotFound");
  EXPECT_EQ(rig.run(rig.store.get_object({{kTenant, "acc", "no"}, "a"}, {}, {})).error().detail, "ContainerNotFound");
}

TEST(GetObject, HoldsConditionsAndRanges) {
  Rig rig;
  const auto object = rig.put("a", rig.noise(100));
  ASSERT_TRUE(object.ok());
  meta::Conditions unchanged;
  unchanged.if_none_match = meta::EtagMatch{.any = false, .stamps = {object->etag_stamp}};
  EXPECT_EQ(rig.run(rig.store.get_object(Rig::object("a"), {}, unchanged)).error().detail, "NotModified");
  meta::Conditions other;
  other.if_match = meta::EtagMatch{.any = false, .stamps = {{1}}};
  EXPECT_EQ(rig.run(rig.store.head_object(Rig::object("a"), other)).error().detail, "ConditionNotMet");

  const auto reader = rig.open("a", ByteRange{90, 50});
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->offset, 90u);
  EXPECT_EQ(reader->length, 10u);
  EXPECT_EQ(rig.open("a", ByteRange{100, 1}).error().code, Code::kOutOfRange);
  ASSERT_TRUE(rig.put("empty", {}).ok());
  EXPECT_EQ(rig.open("empty", ByteRange{0, 1}).error().code, Code::kOutOfRange);
  EXPECT_EQ(rig.got("empty").size(), 0u);
}

// Sizes on both sides of what lies in the gen's row, and of a granule.
TEST(GetObject, ServesObjectsOfOneGranuleFromMemoryOnceTheyWereVerified) {
  for (const std::size_t size : {1u, 4'096u, 4'097u, 16'384u}) {
    Rig rig;
    const Bytes bytes = rig.noise(size);
    const auto object = rig.put("a", bytes);
    ASSERT_TRUE(object.ok());
    EXPECT_EQ(rig.got("a"), bytes) << size;
    // Whoever erases the gen's rows now hinders nobody: they are not read.
    const auto claim = rig.pins.claim(kTenant, object->gen);
    ASSERT_TRUE(claim);
    const auto hits = rig.cache.stats().hits;
    EXPECT_EQ(rig.got("a"), bytes) << size;
    EXPECT_EQ(rig.got("a", ByteRange{size / 2, 100}), part(bytes, size / 2, 100)) << size;
    EXPECT_EQ(rig.cache.stats().hits, hits + 2);
  }
}

TEST(GetObject, ServesWhatTheNameMeansNowWhateverMemoryHolds) {
  Rig rig;
  const Bytes old = rig.noise(4'096), now = rig.noise(4'096);
  ASSERT_TRUE(rig.put("a", old).ok());
  EXPECT_EQ(rig.got("a"), old);
  ASSERT_TRUE(rig.put("a", now).ok());
  EXPECT_EQ(rig.got("a"), now);
  EXPECT_EQ(rig.got("a"), now);
  ASSERT_TRUE(rig.run(rig.store.delete_object(Rig::object("a"), {})).ok());
  EXPECT_EQ(rig.get("a").error().detail, "BlobNotFound");
}

Task<void> put_row(kv::Transaction& txn, std::string key, std::string value) {
  txn.put(std::move(key), std::move(value));
  co_return Result<void>{};
}

TEST(GetObject, KeepsNoInlineBytesThatDoNotVerify) {
  Rig rig;
  const auto object = rig.put("a", rig.noise(100));
  ASSERT_TRUE(object.ok());
  const auto damage = [&](std::uint64_t crc) {
    auto gen = rig.run(meta::get_gen(rig.services.cell, kTenant, object->gen));
    ASSERT_TRUE(gen.ok() && *gen);
    (*gen)->crc64 = crc;
    std::function<Task<void>(kv::Transaction&)> body = [&](kv::Transaction& txn) {
      return put_row(txn, meta::keys::gen(kTenant, object->gen), meta::encode(**gen));
    };
    ASSERT_TRUE(rig.run(kv::run(rig.engine, rig.random, std::move(body))).ok());
  };
  damage(object->crc64 + 1);
  for (int n = 0; n < 2; ++n) EXPECT_EQ(rig.get("a").error().code, Code::kCorrupt);
  damage(object->crc64);
  EXPECT_EQ(rig.got("a").size(), 100u);
}

TEST(GetObject, VerifiesBlocksThatLieInRows) {
  Rig rig;
  const Bytes first = rig.noise(100), second = rig.noise(200);
  ASSERT_TRUE(rig.stage("a", "1", first).ok());
  ASSERT_TRUE(rig.stage("a", "2", second).ok());
  ASSERT_TRUE(rig.commit("a", {{BlockSource::kLatest, "1"}, {BlockSource::kLatest, "2"}}).ok());
  const auto object = rig.head("a");
  const auto slices = *rig.run(meta::list_slices(rig.services.cell, kTenant, object->gen, 0, 2));
  auto source = **rig.run(meta::get_gen(rig.services.cell, kTenant, slices[1].source));
  ASSERT_EQ(source.shape, meta::GenShape::kInline);
  source.inline_bytes[77] = static_cast<char>(source.inline_bytes[77] ^ 1);
  std::function<Task<void>(kv::Transaction&)> body = [&](kv::Transaction& txn) {
    return put_row(txn, meta::keys::gen(kTenant, source.id), meta::encode(source));
  };
  ASSERT_TRUE(rig.run(kv::run(rig.engine, rig.random, std::move(body))).ok());
  EXPECT_EQ(rig.get("a").error().code, Code::kCorrupt);
  EXPECT_EQ(rig.get("a", ByteRange{110, 10}).error().code, Code::kCorrupt) << "other bytes of the same block";
  EXPECT_EQ(rig.got("a", ByteRange{0, 100}), first);
}

TEST(GetObject, GivesTheSameBytesOnceMore) {
  Rig rig;
  for (const std::size_t size : {std::size_t{100}, std::size_t{10'000}, std::size_t{700'000}, std::size_t{17 * kMiB}}) {
    const Bytes bytes = rig.noise(size);
    ASSERT_TRUE(rig.put("a", bytes).ok());
    for (int n = 0; n < 2; ++n) {  // the second time, small ones come from the cache
      auto reader = rig.open("a", ByteRange{7, size - 20});
      ASSERT_TRUE(reader.ok());
      ASSERT_TRUE(rig.run(reader->body->next()).ok());
      ASSERT_TRUE(rig.run(reader->body->rewind()).ok());
      const Bytes want(bytes.begin() + 7, bytes.end() - 13);
      EXPECT_EQ(*rig.drain(*reader->body), want) << size;
      ASSERT_TRUE(rig.put("a", rig.noise(size)).ok());
      ASSERT_TRUE(rig.run(reader->body->rewind()).ok());
      EXPECT_EQ(*rig.drain(*reader->body), want) << size << ", overwritten";
      ASSERT_TRUE(rig.put("a", bytes).ok());
    }
  }
}

class WhileReading : public ::testing::TestWithParam<bool> {};

TEST_P(WhileReading, TheReaderKeepsTheOldBytes) {
  const bool deleted = GetParam();
  Rig rig;
  const Bytes old = rig.noise(17 * kMiB);
  const auto object = rig.put("a", old);
  ASSERT_TRUE(object.ok());
  {
    auto reader = rig.open("a");
    ASSERT_TRUE(reader.ok());
    if (deleted) {
      ASSERT_TRUE(rig.run(rig.store.delete_object(Rig::object("a"), {})).ok());
    } else {
      ASSERT_TRUE(rig.put("a", rig.noise(17 * kMiB)).ok());
    }
    EXPECT_FALSE(rig.pins.claim(kTenant, object->gen));
    const auto got = rig.drain(*reader->body);
    ASSERT_TRUE(got.ok()) << to_string(got.error());
    EXPECT_EQ(*got, old);
  }
  EXPECT_TRUE(rig.pins.claim(kTenant, object->gen));
  EXPECT_EQ(rig.head("a").ok(), !deleted);
}

INSTANTIATE_TEST_SUITE_P(OverwrittenOrDeleted, WhileReading, ::testing::Bool());

TEST(GetObject, WaitsForAClaimThatEndsWithoutErasing) {
  Rig rig;
  const auto object = rig.put("a", rig.noise(100'000));
  ASSERT_TRUE(object.ok());
  auto claim = rig.pins.claim(kTenant, object->gen);
  ASSERT_TRUE(claim);
  std::thread collector([&claim] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    claim.reset();
  });
  const auto reader = rig.open("a");
  collector.join();
  ASSERT_TRUE(reader.ok()) << to_string(reader.error());
}

/// Copies every run of the object to a new place, as compaction does, and frees the old segment.
void compact(Rig& rig, const meta::Object& object) {
  ASSERT_TRUE(rig.run(rig.segments.rotate()).ok());
  const auto runs = rig.run(meta::list_runs(rig.services.cell, kTenant, object.gen, 0, 100));
  ASSERT_TRUE(runs.ok());
  for (const meta::Run& run : *runs) {
    OpenGen what;
    what.tenant = kTenant;
    what.gen = object.gen;
    what.offset = run.offset;
    what.length = run.length;
    what.places = Places::kLocalOnly;
    auto source = rig.run(GenSource::open(rig.services, what));
    ASSERT_TRUE(source.ok());
    auto copy = rig.run(rewrite_run(rig.segments, kTenant, run, **source));
    ASSERT_TRUE(copy.ok()) << to_string(copy.error());
    ASSERT_TRUE(rig.run(rig.segments.sync({copy->place.segment})).ok());
    meta::MoveRun move;
    move.tenant = kTenant;
    move.gen = object.gen;
    move.offset = run.offset;
    move.from = *run.local;
    move.to = {copy->place.segment, copy->place.offset};
    const auto moved = rig.run(meta::move_run(rig.services.cell, move));
    ASSERT_TRUE(moved.ok() && *moved);
  }
}

TEST(GetObject, GoesOnWhereCompactionPutTheBytes) {
  Rig rig;
  const Bytes bytes = rig.noise(20 * kMiB);
  const auto object = rig.put("a", bytes);
  ASSERT_TRUE(object.ok());
  const auto runs = rig.run(meta::list_runs(rig.services.cell, kTenant, object->gen, 0, 1));
  const SegmentId old = runs->front().local->segment;
  auto reader = rig.open("a");
  ASSERT_TRUE(reader.ok());
  compact(rig, *object);
  const auto released = rig.run(rig.segments.release(old));
  ASSERT_TRUE(released.ok()) << to_string(released.error());
  ASSERT_TRUE(rig.run(rig.segments.reap()).ok());
  const auto got = rig.drain(*reader->body);
  ASSERT_TRUE(got.ok()) << to_string(got.error());
  EXPECT_EQ(*got, bytes);
}

Task<void> flip_byte(disk::Disk& disk, std::string path, std::uint64_t offset) {
  CO_TRY_ASSIGN(const auto file, disk.open(path, disk::Open::kReadWrite));
  Bytes byte(1);
  CO_TRY(file->read(offset, byte));
  byte[0] ^= std::byte{4};
  CO_TRY(file->write(offset, byte));
  co_return co_await file->sync();
}

TEST(GetObject, RotThatHasNotMovedIsCorrupt) {
  Rig rig;
  const Bytes bytes = rig.noise(100'000);
  const auto object = rig.put("a", bytes);
  ASSERT_TRUE(object.ok());
  const auto runs = rig.run(meta::list_runs(rig.services.cell, kTenant, object->gen, 0, 1));
  const meta::LocalPlace place = *runs->front().local;
  const std::string path = data::segment_path(place.segment);
  ASSERT_TRUE(rig.run(flip_byte(rig.disk, path, data::data_offset(place.offset) + 50'000)).ok());
  const auto rotten = rig.get("a");
  ASSERT_FALSE(rotten.ok());
  EXPECT_EQ(rotten.error().code, Code::kCorrupt);
  const auto sound = rig.get("a", ByteRange{70'000, 1'000});
  ASSERT_TRUE(sound.ok());
  EXPECT_EQ(*sound, part(bytes, 70'000, 1'000));
}

TEST(GetObject, ARunInASegmentThatIsNoMoreIsCorruptAndNotMissing) {
  Rig rig;
  const auto object = rig.put("a", rig.noise(100'000));
  ASSERT_TRUE(object.ok());
  auto run = rig.run(meta::list_runs(rig.services.cell, kTenant, object->gen, 0, 1))->front();
  run.local->segment = SegmentId{999};
  const auto txn = rig.engine.begin();
  txn->put(meta::keys::run(kTenant, run.gen, run.offset), meta::encode(run));
  ASSERT_TRUE(rig.run(txn->commit()).ok());
  EXPECT_EQ(rig.open("a").error().code, Code::kCorrupt);
}

TEST(GetObject, AFailureOfTheFirstBytesShowsBeforeTheBody) {
  Rig rig;
  const auto object = rig.put("a", rig.noise(100'000));
  ASSERT_TRUE(object.ok());
  const auto runs = rig.run(meta::list_runs(rig.services.cell, kTenant, object->gen, 0, 1));
  const meta::LocalPlace place = *runs->front().local;
  ASSERT_TRUE(rig.run(flip_byte(rig.disk, data::segment_path(place.segment), data::data_offset(place.offset))).ok());
  EXPECT_EQ(rig.open("a").error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace tombolo::store
