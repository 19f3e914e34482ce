#include "data/segment_store.h"

#include "data/data_rig_test.h"
#include "data/scan.h"

namespace tombolo::data {
namespace {

using testing::DiskCall;
using testing::FaultLasts;

class SegmentStoreTest : public DataRig {};

TEST_F(SegmentStoreTest, RunsReadBackAsWritten) {
  for (const std::size_t length : {1u, 4'032u, 4'033u, 16'384u, 16'385u, 65'536u, 65'537u, 300'000u, 1'000'001u}) {
    const Bytes bytes = pattern(length, length);
    const auto sealed = write(bytes);
    ASSERT_TRUE(sealed.ok()) << to_string(sealed.error());
    EXPECT_EQ(sealed->place.length, length);
    EXPECT_EQ(sealed->place.crc64, tombolo::crc64(bytes));
    EXPECT_EQ(sealed->place.granule_crcs.size(), granules_in(length));
    EXPECT_EQ(*read(sealed->place), bytes) << length;
  }
}

TEST_F(SegmentStoreTest, HowBytesArriveDoesNotMatter) {
  const Bytes bytes = pattern(700'000, 5);
  for (const std::size_t step : {1'000u, 65'536u, 262'144u, 700'000u}) {
    const auto sealed = write(bytes, kRunBytesMax, step);
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(sealed->place.crc64, tombolo::crc64(bytes));
    cache_ = std::make_unique<BlockCache>();
    EXPECT_EQ(*read(sealed->place), bytes) << step;
  }
}

TEST_F(SegmentStoreTest, ASmallRunIsOneWrite) {
  const auto first = write(pattern(100, 1));  // opens the segment
  const auto before = disk_.count(DiskCall::kWrite);
  ASSERT_TRUE(write(pattern(200'000, 2), 0, 50'000).ok());
  EXPECT_EQ(disk_.count(DiskCall::kWrite), before + 1);
}

TEST_F(SegmentStoreTest, MoreThanWasAskedForIsRefused) {
  EXPECT_EQ(write(pattern(101, 1), 100, 50).error().code, Code::kTooLarge);
}

TEST_F(SegmentStoreTest, PlacesStartOnBlocksAndDoNotOverlap) {
  const auto one = write(pattern(10, 1));
  const auto two = write(pattern(5'000, 2));
  const auto three = write(pattern(100'000, 3));
  EXPECT_EQ(one->place.offset, kSegmentHeaderBytes);
  EXPECT_EQ(two->place.offset, one->place.offset + occupied_bytes(one->place.offset, 10));
  EXPECT_EQ(data_offset(three->place.offset) % kBlockBytes, 0u);
  EXPECT_GT(three->place.offset, two->place.offset + 5'000);
}

TEST_F(SegmentStoreTest, AnAbandonedLastPlaceIsUsedAgain) {
  {
    const BeginRun begin{.tenant = kTenant, .gen = kGen, .length_max = 500'000};
    auto writer = *run(store_->begin_run(begin));
    const Bytes bytes = pattern(300'000, 1);
    ASSERT_TRUE(run(writer->append(Block(to_bytes(bytes)))).ok());
  }
  const auto sealed = write(pattern(100, 2));
  EXPECT_EQ(sealed->place.offset, kSegmentHeaderBytes);
  EXPECT_EQ(*read(sealed->place), pattern(100, 2));
}

TEST_F(SegmentStoreTest, AFullSegmentIsFollowedByANewOne) {
  std::vector<SealedRun> runs;
  for (std::uint64_t n = 0; n < 7; ++n) runs.push_back(*write(pattern(300'000, n)));
  EXPECT_EQ(runs.front().place.segment, SegmentId{1});
  EXPECT_EQ(runs.back().place.segment, SegmentId{2});
  for (std::uint64_t n = 0; n < 7; ++n) EXPECT_EQ(*read(runs[n].place), pattern(300'000, n));
  settle();
  const auto all = rows();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].row.state, SegmentState::kSealed);
  EXPECT_EQ(all[0].row.file_bytes, *run(file(SegmentId{1})->size()));
  EXPECT_EQ(all[1].row.state, SegmentState::kOpen);
}

TEST_F(SegmentStoreTest, AfterARestartAnOldTailIsNeverAppendedTo) {
  auto sealed = write_and_sync(pattern(10'000, 1));
  commit_place(sealed->place, 1);
  const RunPlace old = sealed->place;
  sealed = Error{};
  restart();
  EXPECT_EQ(*read(old), pattern(10'000, 1));
  const auto next = write(pattern(10'000, 2));
  EXPECT_EQ(next->place.segment, SegmentId{2});
  EXPECT_EQ(rows()[0].row.state, SegmentState::kSealed);
  EXPECT_EQ(rows()[0].live_bytes, static_cast<std::int64_t>(occupied_bytes(old.offset, old.length)));
}

TEST_F(SegmentStoreTest, WhatWasSyncedSurvivesPowerLoss) {
  auto synced = write_and_sync(pattern(200'000, 1));
  commit_place(synced->place, 1);
  auto lost = write(pattern(200'000, 2));
  const RunPlace kept_place = synced->place, lost_place = lost->place;
  synced = Error{};
  lost = Error{};
  cache_ = std::make_unique<BlockCache>();
  crash();
  EXPECT_EQ(*read(kept_place), pattern(200'000, 1));
  EXPECT_EQ(read(lost_place).error().code, Code::kCorrupt);  // never served, whatever a row may say
}

TEST_F(SegmentStoreTest, ASealedSegmentIsAsLongAsItsRowSaysAfterPowerLoss) {
  auto synced = write_and_sync(pattern(10'001, 1));
  commit_place(synced->place, 1);
  synced = Error{};
  ASSERT_TRUE(run(store_->rotate()).ok());
  settle();
  ASSERT_EQ(rows()[0].row.state, SegmentState::kSealed);
  crash();
  EXPECT_GE(*run(file(SegmentId{1})->size()), rows()[0].row.file_bytes);
}

TEST_F(SegmentStoreTest, ASegmentWithoutLiveBytesGoesAtTheNextStart) {
  auto sealed = write_and_sync(pattern(10'000, 1));
  sealed = Error{};
  crash();
  EXPECT_EQ(rows()[0].row.state, SegmentState::kFreeing);
  EXPECT_EQ(run(store_->reap())->files, 1u);
  EXPECT_EQ(files(), 0u);
  EXPECT_TRUE(rows().empty());
  EXPECT_EQ(write(pattern(1, 1))->place.segment, SegmentId{2});  // no id is used twice
}

// --- syncs

Task<void> begin_write_sync(SegmentStore& store, BytesView bytes, std::vector<SealedRun>& out) {
  const BeginRun begin{.tenant = {1}, .gen = {1}, .length_max = bytes.size()};
  CO_TRY_ASSIGN(auto writer, store.begin_run(begin));
  CO_TRY(writer->append(Block(to_bytes(bytes))));
  CO_TRY_ASSIGN(auto sealed, writer->seal());
  std::vector<SegmentId> segments{sealed.place.segment};
  out.push_back(std::move(sealed));
  co_return co_await store.sync(std::move(segments));
}

Task<void> note_code(Task<void> task, std::vector<Code>& codes) {
  const auto result = co_await std::move(task);
  if (!result.ok()) codes.push_back(result.error().code);
  co_return Result<void>{};
}

TEST_F(SegmentStoreTest, WritersAtTheSameTimeShareSyncs) {
  const Bytes bytes = pattern(5'000, 1);
  const auto opening = write(bytes);
  disk_.hold_syncs();
  std::vector<SealedRun> runs;
  Scope scope("writers");
  for (int n = 0; n < 64; ++n) scope.spawn(loop_.get_executor(), begin_write_sync(*store_, bytes, runs));
  settle();
  EXPECT_EQ(runs.size(), 64u);
  EXPECT_EQ(scope.size(), 64u);  // nobody is told before the sync has ended
  disk_.let_syncs_go();
  ASSERT_TRUE(run(scope.join()).ok());
  const auto counts = store_->sync_counts();
  EXPECT_EQ(counts.served, 64u);
  EXPECT_LE(counts.issued, 2u);
  EXPECT_EQ(disk_.count(DiskCall::kSync), counts.issued + 1);  // and one for the segment's header
}

TEST_F(SegmentStoreTest, ASyncUnderWayDoesNotCoverWhatIsWrittenMeanwhile) {
  const Bytes bytes = pattern(5'000, 1);
  const auto opening = write(bytes);
  std::vector<SealedRun> runs;
  Scope scope("writers");
  disk_.hold_syncs();
  scope.spawn(loop_.get_executor(), begin_write_sync(*store_, bytes, runs));
  settle();
  scope.spawn(loop_.get_executor(), begin_write_sync(*store_, bytes, runs));
  settle();
  disk_.let_syncs_go();
  ASSERT_TRUE(run(scope.join()).ok());
  EXPECT_EQ(store_->sync_counts().issued, 2u);
}

TEST_F(SegmentStoreTest, AFailedSyncFailsAllThatShareIt) {
  const Bytes bytes = pattern(5'000, 1);
  const auto opening = write(bytes);
  disk_.hold_syncs();
  std::vector<SealedRun> runs;
  std::vector<Code> codes;
  Scope scope("writers");
  for (int n = 0; n < 8; ++n)
    scope.spawn(loop_.get_executor(), note_code(begin_write_sync(*store_, bytes, runs), codes));
  settle();
  disk_.fail({.call = DiskCall::kSync});
  disk_.let_syncs_go();
  ASSERT_TRUE(run(scope.join()).ok());
  EXPECT_EQ(codes, std::vector<Code>(8, Code::kUnavailable));
}

TEST_F(SegmentStoreTest, AFailedSyncFencesTheSegmentAndLaterRunsGoElsewhere) {
  const auto durable = write_and_sync(pattern(50'000, 1));
  const auto lost = write(pattern(50'000, 2));
  disk_.fail({.call = DiskCall::kSync});
  EXPECT_EQ(run(store_->sync({lost->place.segment})).error().code, Code::kUnavailable);
  EXPECT_EQ(store_->suspects(), 1u);
  settle();  // the new file has a sync of its own
  EXPECT_EQ(store_->suspects(), 0u);
  const auto syncs = disk_.count(DiskCall::kSync);
  EXPECT_EQ(run(store_->sync({lost->place.segment})).error().code, Code::kUnavailable);
  EXPECT_EQ(disk_.count(DiskCall::kSync), syncs);  // never tried again
  const auto next = write_and_sync(pattern(50'000, 3));
  ASSERT_TRUE(next.ok());
  EXPECT_NE(next->place.segment, lost->place.segment);
  EXPECT_EQ(*read(durable->place), pattern(50'000, 1));
}

TEST_F(SegmentStoreTest, WhatAnErrorToldLateTookAlongIsWrittenAnew) {
  const RunPlace first = write(pattern(50'000, 1))->place;
  const SegmentId segment = first.segment;
  commit_place(first, 1);
  const auto seen = *memory_.open_now(segment_path(segment), disk::Open::kReadWrite);
  ASSERT_TRUE(seen->sync_into_journal_now().ok());  // its sync: durable, until the journal's copy fails
  {
    const auto second = write(pattern(50'000, 2));
    disk_.fail({.call = DiskCall::kSync});
    disk_.set_bytes_left(0);
    EXPECT_FALSE(run(store_->sync({segment})).ok());
  }
  ASSERT_TRUE(seen->lose_now(disk::LostPages::kKept, random_).ok());
  settle();
  EXPECT_EQ(store_->suspects(), 1u) << "no space";
  disk_.set_bytes_left(std::nullopt);
  ASSERT_TRUE(run(store_->reap()).ok());
  EXPECT_EQ(store_->suspects(), 0u);
  crash();
  EXPECT_EQ(*read(first), pattern(50'000, 1));
}

TEST_F(SegmentStoreTest, ASegmentThatCannotBeWrittenAnewIsTriedLessAndLessOften) {
  const RunPlace place = write(pattern(50'000, 1))->place;
  disk_.fail({.call = DiskCall::kSync});
  disk_.fail({.call = DiskCall::kRename, .lasts = FaultLasts::kForever});
  EXPECT_FALSE(run(store_->sync({place.segment})).ok());
  settle();
  const auto tries = [this] { return disk_.count(DiskCall::kRename); };
  for (int n = 0; n < 100; ++n) ASSERT_TRUE(run(store_->reap()).ok());
  EXPECT_EQ(tries(), 3u);
  for (int second = 0; second < 24 * 3600; ++second) {
    clock_.advance(std::chrono::seconds(1));
    ASSERT_TRUE(run(store_->reap()).ok());
  }
  EXPECT_GT(tries(), 24u);
  EXPECT_LT(tries(), 40u);
  disk_.heal();
  clock_.advance(std::chrono::hours(1));
  ASSERT_TRUE(run(store_->reap()).ok());
  EXPECT_EQ(store_->suspects(), 0u);
}

TEST_F(SegmentStoreTest, AnOpenSegmentOfAnEarlierProcessIsWrittenAnew) {
  const auto place = write(pattern(50'000, 1))->place;
  commit_place(place, 1);
  const auto seen = *memory_.open_now(segment_path(place.segment), disk::Open::kReadWrite);
  ASSERT_TRUE(seen->lose_now(disk::LostPages::kKept, random_).ok());  // told to a process that died
  restart();
  crash();
  EXPECT_EQ(*read(place), pattern(50'000, 1));
}

TEST_F(SegmentStoreTest, AStartWithoutSpaceForThatLeavesItToWhoeverHasSome) {
  for (const bool same_process : {false, true}) {
    const auto place = write(pattern(50'000, 1))->place;
    commit_place(place, 1);
    const auto seen = *memory_.open_now(segment_path(place.segment), disk::Open::kReadWrite);
    ASSERT_TRUE(seen->lose_now(disk::LostPages::kKept, random_).ok());  // told to a process that died
    const auto state = [this] { return rows().back().row.state; };
    disk_.set_bytes_left(0);
    const std::uint64_t syncs = disk_.count(DiskCall::kSync);
    restart();
    EXPECT_EQ(disk_.count(DiskCall::kSync), syncs) << "one that fails may take away what is in the page cache alone";
    EXPECT_EQ(store_->suspects(), 1u);
    EXPECT_EQ(state(), SegmentState::kOpen);
    ASSERT_TRUE(run(store_->reap()).ok());
    EXPECT_EQ(state(), SegmentState::kOpen);
    disk_.set_bytes_left(std::nullopt);
    if (same_process) {
      ASSERT_TRUE(run(store_->reap()).ok());
    } else {
      restart();
    }
    EXPECT_EQ(store_->suspects(), 0u);
    EXPECT_EQ(state(), SegmentState::kSealed);
    EXPECT_EQ(rows().back().row.file_bytes, *run(file(place.segment)->size()));
    crash();
    EXPECT_EQ(*read(place), pattern(50'000, 1)) << same_process;
  }
}

TEST_F(SegmentStoreTest, ARunBegunBeforeTheFailedSyncFailsItsOwn) {
  const BeginRun begin{.tenant = kTenant, .gen = kGen, .length_max = 600'000};
  const Bytes half = pattern(300'000, 1);
  auto writer = *run(store_->begin_run(begin));
  ASSERT_TRUE(run(writer->append(Block(to_bytes(half)))).ok());
  disk_.fail({.call = DiskCall::kSync});
  const auto other = write(pattern(10, 2));
  EXPECT_FALSE(run(store_->sync({other->place.segment})).ok());
  const auto appended = run(writer->append(Block(to_bytes(half))));
  EXPECT_FALSE(appended.ok() && run(writer->seal()).ok());
}

// --- space and faults

TEST_F(SegmentStoreTest, AFullDiskRefusesWritesServesReadsAndHeals) {
  const auto before = write_and_sync(pattern(50'000, 1));
  disk_.set_bytes_left(0);
  EXPECT_EQ(write(pattern(50'000, 2)).error().code, Code::kNoSpace);
  ASSERT_TRUE(run(store_->rotate()).ok());
  EXPECT_EQ(write(pattern(50'000, 2)).error().code, Code::kNoSpace);
  cache_ = std::make_unique<BlockCache>();
  EXPECT_EQ(*read(before->place), pattern(50'000, 1));
  disk_.set_bytes_left(std::nullopt);
  EXPECT_TRUE(write_and_sync(pattern(50'000, 2)).ok());
}

TEST_F(SegmentStoreTest, SomeSpaceIsKeptFree) {
  memory_.set_limit(10 * 1024 * 1024);
  stop();
  start({.segment_bytes = 1024 * 1024, .keep_free_bytes = 9 * 1024 * 1024 + 1});
  EXPECT_EQ(write(pattern(1, 1)).error().code, Code::kNoSpace);
  EXPECT_EQ(store_->free_bytes_needed(), 10u * 1024 * 1024 + 1);
  stop();
  start({.segment_bytes = 1024 * 1024, .keep_free_bytes = 9 * 1024 * 1024});
  EXPECT_EQ(store_->free_bytes_needed(), 10u * 1024 * 1024);
  EXPECT_TRUE(write(pattern(1, 1)).ok());
  EXPECT_EQ(store_->free_bytes_needed(), 0u) << "this one has room";
}

TEST_F(SegmentStoreTest, AnyFailingCallFailsTheWriteOnlyAndLeavesTheStoreUsable) {
  for (const DiskCall call : {DiskCall::kWrite, DiskCall::kSync, DiskCall::kOpen, DiskCall::kSyncDirectory}) {
    bool reached = true;
    for (std::uint64_t number = 1; reached; ++number) {
      ASSERT_TRUE(run(store_->rotate()).ok());
      settle();
      const std::uint64_t before = disk_.count(call);
      disk_.fail({.call = call, .number = number});
      const auto first = write_and_sync(pattern(100'000, number));
      reached = disk_.count(call) - before >= number;
      EXPECT_EQ(first.ok(), !reached) << static_cast<int>(call) << " " << number;
      EXPECT_TRUE(reached || number > 1) << static_cast<int>(call) << " is not called";
      if (first.ok()) {
        EXPECT_EQ(*read(first->place, {.offset = 0, .length = 100'000, .admission = Admission::kBypass}),
                  pattern(100'000, number));
      }
      disk_.heal();
      const auto second = write_and_sync(pattern(90'000, number));
      ASSERT_TRUE(second.ok()) << to_string(second.error());
      EXPECT_EQ(*read(second->place, {.offset = 0, .length = 90'000, .admission = Admission::kBypass}),
                pattern(90'000, number));
    }
  }
}

TEST_F(SegmentStoreTest, NoErrorOfTheDiskIsTheClientsFault) {
  for (const DiskCall call : {DiskCall::kWrite, DiskCall::kOpen, DiskCall::kSync}) {
    for (const Code code : {Code::kPermissionDenied, Code::kNotFound, Code::kTooLarge, Code::kInvalid}) {
      ASSERT_TRUE(run(store_->rotate()).ok());
      disk_.fail({.call = call, .code = code});
      EXPECT_EQ(write_and_sync(pattern(100'000, 1)).error().code, Code::kUnavailable);
    }
  }
  for (const Code code : {Code::kNoSpace, Code::kBusy}) {
    disk_.fail({.call = DiskCall::kWrite, .code = code});
    EXPECT_EQ(write_and_sync(pattern(100'000, 1)).error().code, code);
  }
}

TEST_F(SegmentStoreTest, TooManyWritersAreTurnedAway) {
  stop();
  start({.segment_bytes = 1024 * 1024, .keep_free_bytes = 0, .writers_max = 1});
  const BeginRun begin{.tenant = kTenant, .gen = kGen, .length_max = 10};
  auto one = run(store_->begin_run(begin));
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(run(store_->begin_run(begin)).error().code, Code::kBusy);
  one->reset();
  EXPECT_TRUE(run(store_->begin_run(begin)).ok());
}

TEST_F(SegmentStoreTest, FileBytesCountWhatIsOnTheDisk) {
  EXPECT_EQ(store_->file_bytes(), 0u);
  const auto sealed = write(pattern(10'000, 1));
  EXPECT_EQ(store_->file_bytes(), config_.segment_bytes);  // reserved
  ASSERT_TRUE(run(store_->rotate()).ok());
  settle();
  EXPECT_EQ(store_->file_bytes(), kSegmentHeaderBytes + occupied_bytes(kSegmentHeaderBytes, 10'000));
}

}  // namespace
}  // namespace tombolo::data
