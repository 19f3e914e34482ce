#include "meta/stamps.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "async/run.h"
#include "kv/memory/memory_engine.h"
#include "meta/model/stamp_rules.h"

namespace tombolo::meta {
namespace {

struct Process {
  explicit Process(kv::Engine& engine, Clock& clock) : stamper(engine, random, clock), ids(engine, random) {}
  Result<void> recover() {
    TRY(run_to_end(stamper.recover()));
    return run_to_end(ids.recover());
  }
  Stamp stamp() { return *run_to_end(stamper.next()); }
  std::uint64_t id() { return *run_to_end(ids.next()); }

  SeededRandom random{1};
  Stamper stamper;
  IdAllocator ids;
};

TEST(Stamper, FollowsTheClockAndNeverStandsStill) {
  ManualClock clock;
  kv::MemoryEngine engine(clock);
  Process process(engine, clock);
  ASSERT_TRUE(process.recover().ok());
  const Stamp first = process.stamp();
  EXPECT_EQ(first.micros, static_cast<std::uint64_t>(clock.wall().micros));
  EXPECT_EQ(process.stamp().micros, first.micros + 1);
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(process.stamp().micros, static_cast<std::uint64_t>(clock.wall().micros));
  clock.set_wall({clock.wall().micros - 1'000'000'000});
  const Stamp last = process.stamper.last();
  EXPECT_EQ(process.stamp().micros, last.micros + 1);
}

TEST(Stamper, ARestartGivesOnlyLargerOnes) {
  ManualClock clock;
  kv::MemoryEngine engine(clock);
  std::uint64_t largest = 0;
  for (int restart = 0; restart < 5; ++restart) {
    Process process(engine, clock);
    ASSERT_TRUE(process.recover().ok());
    for (int i = 0; i < 3; ++i) {
      const Stamp stamp = process.stamp();
      EXPECT_GT(stamp.micros, largest);
      largest = stamp.micros;
    }
    clock.set_wall({clock.wall().micros - 60'000'000});
  }
}

TEST(Stamper, ManyCrashesDoNotLeaveTheClockBehind) {
  ManualClock clock;
  kv::MemoryEngine engine(clock);
  for (int crash = 0; crash < 5'000; ++crash) {
    Process process(engine, clock);
    ASSERT_TRUE(process.recover().ok());
    const Stamp stamp = process.stamp();
    EXPECT_LE(stamp.micros, static_cast<std::uint64_t>(clock.wall().micros) + kStampLeaseMicros + kStampsLeasedAhead);
    clock.advance(std::chrono::milliseconds(100));
  }
}

TEST(Stamper, RefusesToStartWithAClockFarBehind) {
  ManualClock clock;
  kv::MemoryEngine engine(clock);
  Process before(engine, clock);
  ASSERT_TRUE(before.recover().ok());
  before.stamp();
  clock.set_wall({clock.wall().micros - 3'590'000'000});
  EXPECT_TRUE(Process(engine, clock).recover().ok());
  clock.set_wall({clock.wall().micros - 20'000'000});
  const auto refused = Process(engine, clock).recover();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_NE(refused.error().message.find("clock"), std::string::npos);
}

TEST(Stamper, AClockThatLeapsAheadIsBelievedOnceItStandsByThat) {
  ManualClock clock;
  kv::MemoryEngine engine(clock);
  Process process(engine, clock);
  ASSERT_TRUE(process.recover().ok());
  const auto off = [&] {
    clock.advance(Duration(10));  // else the stamp before it counts
    return static_cast<std::int64_t>(process.stamp().micros) - clock.wall().micros;
  };
  EXPECT_EQ(off(), 0);
  clock.set_wall({clock.wall().micros + kLeapMicrosMax});
  EXPECT_EQ(off(), 0) << "an hour is no leap";
  constexpr std::int64_t kTenYears = std::int64_t{3'652} * 86'400'000'000;
  for (const bool stays : {false, true}) {
    clock.set_wall({clock.wall().micros + kTenYears});
    EXPECT_EQ(off(), -kTenYears);
    clock.advance(std::chrono::minutes(59));
    EXPECT_EQ(off(), -kTenYears);
    if (stays) break;
    clock.set_wall({clock.wall().micros - kTenYears});
    clock.advance(std::chrono::hours(2));
    EXPECT_EQ(off(), 0) << "it was right after all";
    EXPECT_TRUE(Process(engine, clock).recover().ok());
  }
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(off(), 0);
}

TEST(Stamper, AClockThatWasWrongForAMomentIsBelievedWhenItIsPutRight) {
  ManualClock clock;
  kv::MemoryEngine engine(clock);
  Process process(engine, clock);
  ASSERT_TRUE(process.recover().ok());
  process.stamp();
  clock.set_wall({clock.wall().micros - 2 * kLeapMicrosMax});
  clock.advance(std::chrono::minutes(1));
  process.stamp();
  clock.set_wall({clock.wall().micros + 2 * kLeapMicrosMax});
  EXPECT_EQ(process.stamp().micros, static_cast<std::uint64_t>(clock.wall().micros));
}

TEST(Stamper, WritesItsMarkOncePerLease) {
  ManualClock clock;
  kv::MemoryEngine engine(clock);
  Process process(engine, clock);
  ASSERT_TRUE(process.recover().ok());
  const auto before = engine.committed().value;
  for (int i = 0; i < 10'000; ++i) process.stamp();
  EXPECT_EQ(engine.committed().value, before + 1);
}

TEST(IdAllocator, NeverGivesAnIdTwice) {
  ManualClock clock;
  kv::MemoryEngine engine(clock);
  std::set<std::uint64_t> seen;
  std::uint64_t epoch = 0;
  for (int restart = 0; restart < 3; ++restart) {
    Process process(engine, clock);
    ASSERT_TRUE(process.recover().ok());
    EXPECT_GT(process.ids.process_epoch(), epoch);
    epoch = process.ids.process_epoch();
    EXPECT_EQ(process.ids.feed_epoch(), 1u);
    std::vector<std::thread> threads;
    std::vector<std::vector<std::uint64_t>> drawn(3);
    for (auto& mine : drawn) {
      threads.emplace_back([&] {
        for (int i = 0; i < 25'000; ++i) mine.push_back(process.id());
      });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& mine : drawn) {
      for (const std::uint64_t id : mine) EXPECT_TRUE(seen.insert(id).second);
    }
  }
  EXPECT_GT(*seen.begin(), 1u);
}

// docs/formats/stamps.md, row by row.
TEST(StampRules, AreTheDocumentedTable) {
  struct Row {
    Change change;
    bool created, version, content, etag;
    std::uint64_t metageneration;  // from 5
  };
  const std::vector<Row> table = {
      {Change::kPutObject, true, true, true, true, 1},      {Change::kCommitBlockList, true, true, true, true, 1},
      {Change::kSetHeaders, false, false, false, true, 6},  {Change::kSetMetadata, false, true, false, true, 6},
      {Change::kStageBlock, false, false, false, false, 5}, {Change::kRename, false, false, false, false, 5},
      {Change::kOffload, false, false, false, false, 5},    {Change::kEvict, false, false, false, false, 5},
      {Change::kRecall, false, false, false, false, 5},     {Change::kCompaction, false, false, false, false, 5},
  };
  ASSERT_EQ(table.size(), kStampRules.size());
  for (const Row& row : table) {
    SCOPED_TRACE(stamp_rule(row.change).name);
    Object object;
    object.created = object.version_stamp = object.content_stamp = object.etag_stamp = Stamp{1};
    object.metageneration = 5;
    move_stamps(object, row.change, Stamp{9});
    EXPECT_EQ(object.created == Stamp{9}, row.created);
    EXPECT_EQ(object.version_stamp == Stamp{9}, row.version);
    EXPECT_EQ(object.content_stamp == Stamp{9}, row.content);
    EXPECT_EQ(object.etag_stamp == Stamp{9}, row.etag);
    EXPECT_EQ(object.metageneration, row.metageneration);
  }
}

}  // namespace
}  // namespace tombolo::meta
