// What the log engine does when something runs out or fails, and how its log shrinks.
#include <gmock/gmock.h>

#include "base/log.h"
#include "kv/log/log_rig_test.h"

namespace tombolo::kv {
namespace {

class LogEngineTest : public testing::Test {
 protected:
  LogEngineTest() { set_log_level(LogLevel::kError); }
  ~LogEngineTest() override { set_log_level(LogLevel::kInfo); }

  std::optional<Code> code(const Result<Sequence>& result) {
    return result.ok() ? std::optional<Code>() : result.error().code;
  }
  Result<Sequence> erase(std::string key) {
    const auto transaction = rig_.engine().begin();
    transaction->erase(std::move(key));
    transaction->set_purpose(Purpose::kFreesSpace);
    return run_to_end(rig_.loop, transaction->commit());
  }
  void run_for(std::chrono::milliseconds time) {
    rig_.loop.restart();
    rig_.loop.run_for(time);
  }

  LogRig rig_;
};

TEST_F(LogEngineTest, FailedSyncFencesTheLogAndStopsTheCell) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  rig_.faults.fail_sync = rig_.faults.syncs + 1;
  EXPECT_EQ(code(rig_.put("a", "2")), Code::kUnknownOutcome);
  EXPECT_EQ(code(rig_.put("a", "3")), Code::kUnavailable);
  EXPECT_EQ(rig_.get("a"), "1");
  ASSERT_TRUE(rig_.log_engine().status().stopped);
  EXPECT_EQ(rig_.log_engine().status().committed.value, 1u);
  rig_.lose_power();
  ASSERT_TRUE(rig_.open().ok());
  EXPECT_EQ(rig_.get("a"), "1");
  EXPECT_TRUE(rig_.put("a", "4").ok());
}

TEST_F(LogEngineTest, CommitsWhileATransactionBeginsAreSeenOrConflict) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  rig_.index_faults.after_snapshot =
      [this] {  // what other threads may do meanwhile; the second lets go of the first's writes
        EXPECT_TRUE(rig_.put("a", "2").ok());
        EXPECT_TRUE(rig_.put("b", "1").ok());
      };
  const auto transaction = rig_.engine().begin();
  EXPECT_EQ(**run_to_end(rig_.loop, transaction->get("a")), "1");
  transaction->put("a", "1+1");
  EXPECT_EQ(code(run_to_end(rig_.loop, transaction->commit())), Code::kConflict);
  EXPECT_EQ(rig_.get("a"), "2");
}

TEST_F(LogEngineTest, FailedApplyHoldsCommitsUntilItHasBeenApplied) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  rig_.index_faults.failing_applies = 3;
  EXPECT_EQ(code(rig_.put("a", "2")), Code::kUnknownOutcome);
  EXPECT_EQ(code(rig_.put("b", "1")), Code::kNoSpace);
  EXPECT_TRUE(rig_.log_engine().status().stalled);
  EXPECT_EQ(rig_.get("a"), "1");
  run_for(std::chrono::milliseconds(400));
  EXPECT_FALSE(rig_.log_engine().status().stalled);
  EXPECT_EQ(rig_.get("a"), "2");
  EXPECT_EQ(rig_.get("b"), std::nullopt);
  EXPECT_EQ(rig_.put("b", "2")->value, 3u);
}

TEST_F(LogEngineTest, StopWhileHeldLeavesTheTransactionToRecovery) {
  rig_.index_faults.failing_applies = 1'000;
  EXPECT_EQ(code(rig_.put("a", "1")), Code::kUnknownOutcome);
  rig_.kill();
  rig_.index_faults.failing_applies = 0;
  ASSERT_TRUE(rig_.open().ok());
  EXPECT_EQ(rig_.get("a"), "1");
}

TEST_F(LogEngineTest, FullDiskRefusesWhatStoresAndTakesWhatFreesAndHealsByItself) {
  rig_.options.free_bytes_min = 100'000;
  rig_.memory.set_limit(1'000'000);
  rig_.reopen();
  ASSERT_TRUE(rig_.put("a", "1").ok());
  rig_.memory.set_limit(200'000);
  rig_.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(code(rig_.put("b", "1")), Code::kNoSpace);
  EXPECT_EQ(rig_.get("a"), "1");
  EXPECT_TRUE(erase("a").ok());
  EXPECT_GE(rig_.log_engine().status().flushed.value, 1u) << "while there is room for it";
  EXPECT_EQ(rig_.get("a"), std::nullopt);
  rig_.memory.set_limit(1'000'000);
  rig_.clock.advance(std::chrono::seconds(2));
  EXPECT_TRUE(rig_.put("b", "1").ok());
}

TEST_F(LogEngineTest, DeletesGoOnInTheSpareFileOfAFullDisk) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  rig_.memory.set_limit(0);
  rig_.clock.advance(std::chrono::seconds(2));
  // More than one file's worth: the rest of the current one and the spare.
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(erase("a").ok()) << i;
  const Sequence flushed = rig_.log_engine().status().flushed;
  EXPECT_GT(flushed.value, 0u);
  rig_.clock.advance(std::chrono::seconds(6));
  EXPECT_EQ(code(rig_.put("b", "1")), Code::kNoSpace);
  EXPECT_TRUE(erase("a").ok());
  EXPECT_GT(rig_.log_engine().status().flushed, flushed) << "again and again, while space is low";
  while (erase("a").ok()) {
  }
  EXPECT_EQ(code(erase("a")), Code::kNoSpace);
  EXPECT_FALSE(rig_.log_engine().status().stopped);
  rig_.memory.set_limit(std::nullopt);
  rig_.clock.advance(std::chrono::seconds(2));
  EXPECT_TRUE(rig_.put("b", "1").ok());
  rig_.kill();
  ASSERT_TRUE(rig_.open().ok());
  EXPECT_EQ(rig_.get("b"), "1");
}

TEST_F(LogEngineTest, AMomentWithoutDescriptorsRefusesCommitsAndStopsNothing) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  rig_.faults.no_descriptors = true;
  Result<Sequence> last = Sequence{};
  for (int n = 0; n < 1'000 && last.ok(); ++n) last = rig_.put("a", std::string(500, 'x'));  // until a new file is due
  EXPECT_EQ(code(last), Code::kBusy);
  EXPECT_FALSE(rig_.log_engine().status().stopped);
  EXPECT_EQ(rig_.get("a"), std::string(500, 'x'));
  rig_.faults.no_descriptors = false;
  EXPECT_TRUE(rig_.put("a", "2").ok());
  rig_.lose_power();
  ASSERT_TRUE(rig_.open().ok());
  EXPECT_EQ(rig_.get("a"), "2");
}

TEST_F(LogEngineTest, AMomentWithoutOneForTheDirectoryLeavesTheNextFileToBeFinished) {
  rig_.faults.no_descriptors_for_directories = true;
  Result<Sequence> last = Sequence{};
  int acknowledged = -1;
  for (int n = 0; n < 1'000 && last.ok(); ++n) {
    last = rig_.put("a", std::to_string(n));
    acknowledged += last.ok() ? 1 : 0;
  }
  EXPECT_EQ(code(last), Code::kBusy);
  rig_.clock.advance(std::chrono::seconds(2));  // another spare file
  EXPECT_EQ(code(rig_.put("a", "refused")), Code::kBusy) << "the old file may get nothing more";
  EXPECT_FALSE(rig_.log_engine().status().stopped);
  rig_.lose_power();
  rig_.faults.no_descriptors_for_directories = false;
  ASSERT_TRUE(rig_.open().ok());
  EXPECT_EQ(rig_.get("a"), std::to_string(acknowledged));

  rig_.faults.no_descriptors_for_directories = true;
  for (last = Sequence{}; last.ok();) last = rig_.put("a", "x");
  rig_.faults.no_descriptors_for_directories = false;
  rig_.clock.advance(std::chrono::seconds(2));
  EXPECT_TRUE(rig_.put("a", "2").ok());
  EXPECT_TRUE(rig_.put("a", "3").ok());
  rig_.lose_power();
  ASSERT_TRUE(rig_.open().ok());
  EXPECT_EQ(rig_.get("a"), "3");
}

TEST_F(LogEngineTest, ASpareFileLeftBehindIsTakenOnceThereIsSpace) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  rig_.memory.set_limit(0);
  rig_.faults.no_removals = true;
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(erase("a").ok()) << i;  // takes the spare file; another gets no space
  rig_.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(code(rig_.put("b", "1")), Code::kNoSpace);
  rig_.memory.set_limit(std::nullopt);
  rig_.faults.no_removals = false;
  rig_.clock.advance(std::chrono::seconds(2));
  EXPECT_TRUE(rig_.put("b", "1").ok());
}

TEST_F(LogEngineTest, AMarkThatNeedsAFileWhichCannotBeMadeStopsNothing) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  rig_.memory.set_limit(0);
  while (rig_.log_files().size() < 2) ASSERT_TRUE(erase("a").ok());  // takes the spare file; another gets no space
  rig_.faults.read_only = true;
  while (erase("a").ok()) {
    run_for(std::chrono::milliseconds(120));  // idle: the mark is due, in the end where only the seal has room
    ASSERT_FALSE(rig_.log_engine().status().stopped);
  }
  EXPECT_FALSE(rig_.log_engine().status().stopped);
  rig_.faults.read_only = false;
  rig_.memory.set_limit(std::nullopt);
  rig_.clock.advance(std::chrono::seconds(2));
  EXPECT_TRUE(rig_.put("b", "1").ok());
}

TEST_F(LogEngineTest, AFileSystemThatBecameReadOnlyIsNotTheClientsFault) {
  rig_.faults.read_only = true;
  Result<Sequence> last = Sequence{};
  while (last.ok()) last = rig_.put("a", "x");  // until a new file is due
  EXPECT_EQ(code(last), Code::kUnavailable);
  EXPECT_TRUE(rig_.log_engine().status().stopped);
}

TEST_F(LogEngineTest, QueueIsBounded) {
  rig_.options.queue_bytes_max = 100;
  rig_.reopen();
  EXPECT_TRUE(rig_.put("a", "small").ok());
  EXPECT_EQ(code(rig_.put("a", std::string(200, 'x'))), Code::kBusy);
}

TEST_F(LogEngineTest, TrimKeepsTheRecordThatAppliedNames) {
  rig_.options.log.file_bytes = 6 * 4096;
  rig_.reopen();
  for (int n = 1; n <= 30; ++n) ASSERT_TRUE(rig_.put("n", std::to_string(n)).ok());
  EXPECT_GE(rig_.log_files().size(), 7u);
  ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().flush()).ok());
  EXPECT_LE(rig_.log_files().size(), 2u);
  EXPECT_EQ(rig_.log_engine().status().flushed.value, 30u);
  EXPECT_EQ(run_to_end(rig_.loop, rig_.engine().read_log(Sequence{1}, 10)).error().code, Code::kNotFound);
  EXPECT_EQ(run_to_end(rig_.loop, rig_.engine().read_log(Sequence{29}, 10))->size(), 1u);
  ASSERT_TRUE(rig_.put("n", "31").ok());
  rig_.lose_power();
  ASSERT_TRUE(rig_.open().ok());
  EXPECT_EQ(rig_.get("n"), "31");
  for (int i = 0; i < 5; ++i) rig_.reopen();
  EXPECT_LE(rig_.log_files().size(), 7u);
  EXPECT_EQ(rig_.get("n"), "31");
}

TEST_F(LogEngineTest, FlushStartsByItselfWhenTheLogHasGrown) {
  rig_.options.log.file_bytes = 6 * 4096;
  rig_.options.flush_after_bytes = 40'000;
  rig_.reopen();
  for (int n = 1; n <= 60; ++n) ASSERT_TRUE(rig_.put("n", std::to_string(n)).ok());
  EXPECT_LE(rig_.log_files().size(), 5u);
  EXPECT_GT(rig_.log_engine().status().flushed.value, 40u);
}

TEST_F(LogEngineTest, FlushStartsThoughEveryLifeIsTooShortForOne) {
  rig_.options.flush_after_bytes = 40 * 4096;
  rig_.reopen();
  for (int life = 0; life < 20; ++life) {
    for (int n = 0; n < 8; ++n) ASSERT_TRUE(rig_.put("n", std::to_string(8 * life + n)).ok());
    rig_.lose_power();
    ASSERT_TRUE(rig_.open().ok());
  }
  EXPECT_GT(rig_.log_engine().status().flushed.value, 80u);
  EXPECT_LE(rig_.log_files().size(), 10u);
  EXPECT_EQ(rig_.get("n"), "159");
}

TEST_F(LogEngineTest, AFlushThatAStartOwesIsMadeOnceThereIsRoom) {
  for (int n = 1; n <= 3; ++n) ASSERT_TRUE(rig_.put("n", std::to_string(n)).ok());
  rig_.kill();
  rig_.index_faults.flush_bytes = 1'000'000'000;
  rig_.memory.set_limit(2'000'000);
  ASSERT_TRUE(rig_.open().ok());
  EXPECT_TRUE(rig_.log_engine().status().flush_owed);
  EXPECT_TRUE(rig_.put("n", "4").ok());
  EXPECT_EQ(run_to_end(rig_.loop, rig_.log_engine().flush()).error().code, Code::kNoSpace);
  rig_.memory.set_limit(std::nullopt);
  run_for(std::chrono::milliseconds(1'300));
  EXPECT_FALSE(rig_.log_engine().status().flush_owed);
  EXPECT_EQ(rig_.log_engine().status().flushed.value, 4u);
}

TEST_F(LogEngineTest, StatusTellsWhatHappened) {
  ASSERT_TRUE(rig_.put("a", "1").ok());
  const auto late = rig_.engine().begin();
  EXPECT_TRUE(run_to_end(rig_.loop, late->get("a")).ok());
  late->put("a", "2");
  ASSERT_TRUE(rig_.put("a", "3").ok());
  EXPECT_EQ(code(run_to_end(rig_.loop, late->commit())), Code::kConflict);
  const auto status = rig_.log_engine().status();
  EXPECT_EQ(status.committed.value, 2u);
  EXPECT_EQ(status.durable_through.value, 1u);
  EXPECT_EQ(status.conflicts, 1u);
  EXPECT_EQ(status.log.files, 1u);
  EXPECT_EQ(status.log.bytes, 3 * 4096u);
  EXPECT_GE(status.log.syncs, 3u);
  EXPECT_FALSE(status.stopped);
}

TEST_F(LogEngineTest, ClosedEngineRefusesCommits) {
  ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().close()).ok());
  EXPECT_EQ(code(rig_.put("a", "1")), Code::kUnavailable);
}

TEST_F(LogEngineTest, LargeTransactionsSpanBlocksAndFiles) {
  rig_.options.log.file_bytes = 6 * 4096;
  rig_.reopen();
  for (int n = 0; n < 5; ++n) {
    const auto transaction = rig_.engine().begin();
    for (int i = 0; i < 15; ++i)
      transaction->put("k" + std::to_string(i), std::string(65'000, static_cast<char>('a' + n)));
    ASSERT_TRUE(run_to_end(rig_.loop, transaction->commit()).ok());
  }
  rig_.lose_power();
  ASSERT_TRUE(rig_.open().ok());
  EXPECT_EQ(rig_.get("k14"), std::string(65'000, 'e'));
}

}  // namespace
}  // namespace tombolo::kv
