// Crashes of the log engine at every operation of its disk: what was acknowledged survives, whole transactions only.
#include <gtest/gtest.h>

#include "base/log.h"
#include "kv/log/log_rig_test.h"

namespace tombolo::kv {
namespace {

constexpr int kTransactions = 16;

class LogCrash : public testing::Test {
 protected:
  LogCrash() { set_log_level(LogLevel::kError); }
  ~LogCrash() override { set_log_level(LogLevel::kInfo); }
};

std::unique_ptr<LogRig> make_rig() {
  auto rig = std::make_unique<LogRig>(false);
  rig->options.log.file_bytes = 6 * 4096;  // header, four small groups, seal
  return rig;
}

/// Transaction n sets a and b to n and adds n to the counter.
Result<Sequence> commit_number(LogRig& rig, int n) {
  const auto transaction = rig.engine().begin();
  transaction->put("a", std::to_string(n));
  transaction->put("b", std::to_string(n));
  transaction->add("sum", n);
  return run_to_end(rig.loop, transaction->commit());
}

struct Outcome {
  int acknowledged = 0;
  bool one_unknown = false;
};

/// Commits until something fails, with a mark and a flush of the index now and then.
Outcome work(LogRig& rig, int from) {
  Outcome outcome{.acknowledged = from};
  for (int n = from + 1; n <= from + kTransactions; ++n) {
    const auto committed = commit_number(rig, n);
    if (!committed.ok()) {
      outcome.one_unknown = committed.error().code == Code::kUnknownOutcome;
      return outcome;
    }
    EXPECT_EQ(committed->value, static_cast<std::uint64_t>(n));
    outcome.acknowledged = n;
    if (n % 5 == 0 && !run_to_end(rig.loop, rig.log_engine().flush()).ok()) return outcome;
  }
  return outcome;
}

/// What is left must be the first `n` transactions for an allowed n, which is returned.
int check(LogRig& rig, const Outcome& outcome) {
  const int n = static_cast<int>(rig.engine().committed().value);
  EXPECT_GE(n, outcome.acknowledged);
  EXPECT_LE(n, outcome.acknowledged + (outcome.one_unknown ? 1 : 0));
  if (n == 0) return n;
  EXPECT_EQ(rig.get("a"), std::to_string(n));
  EXPECT_EQ(rig.get("b"), std::to_string(n));
  EXPECT_EQ(load_le<std::int64_t>(rig.get("sum").value_or(std::string(8, 'x')).data()), n * (n + 1) / 2);
  return n;
}

void expect_open(LogRig& rig) {
  const auto opened = rig.open();
  ASSERT_TRUE(opened.ok()) << to_string(opened.error());
}

enum class Death { kProcess, kPower };

/// Dies at operation k of opening or working, opens again, works on, and once more.
bool die_at(int k, Death death) {
  SCOPED_TRACE("operation " + std::to_string(k));
  auto rig = make_rig();
  rig->faults.fail_from = k;
  Outcome outcome;
  if (rig->open().ok()) outcome = work(*rig, 0);
  const bool died = rig->faults.operations >= k;
  death == Death::kPower ? rig->lose_power() : rig->kill();
  expect_open(*rig);
  if (testing::Test::HasFailure()) return false;
  outcome = work(*rig, check(*rig, outcome));
  EXPECT_FALSE(outcome.one_unknown);
  rig->lose_power();
  expect_open(*rig);
  if (testing::Test::HasFailure()) return false;
  check(*rig, outcome);
  return died;
}

TEST_F(LogCrash, PowerLossAtEveryOperationKeepsWhatWasAcknowledged) {
  int k = 1;
  while (die_at(k, Death::kPower)) ++k;
  EXPECT_GT(k, 50);
}

TEST_F(LogCrash, KillAtEveryOperationThenPowerLossKeepsWhatWasAcknowledged) {
  int k = 1;
  while (die_at(k, Death::kProcess)) ++k;
  EXPECT_GT(k, 50);
}

/// Dies at operation k, then at operation j of the recovery (with the index flushed between, as RocksDB may do at any
/// time), then recovers. False when recovery needs fewer than j operations.
bool die_twice(int k, int j, Death first, Death second) {
  SCOPED_TRACE("operations " + std::to_string(k) + ", " + std::to_string(j));
  auto rig = make_rig();
  rig->faults.fail_from = k;
  Outcome outcome;
  if (rig->open().ok()) outcome = work(*rig, 0);
  first == Death::kPower ? rig->lose_power() : rig->kill();
  rig->faults.operations = 0;
  rig->faults.fail_from = j;
  const bool died = !rig->open().ok();
  EXPECT_TRUE(run_to_end(rig->loop, rig->rows.flush()).ok());
  second == Death::kPower ? rig->lose_power() : rig->kill();
  expect_open(*rig);
  if (testing::Test::HasFailure()) return false;
  check(*rig, outcome);
  return died;
}

/// The process dies at each operation, maybe between the name of a file and its sync. The next one goes on from what it
/// finds until the power fails, which may take either name and leave the other.
TEST_F(LogCrash, NoFileIsMadeBehindANameThatIsNotDurable) {
  for (int first = 1;; ++first) {
    for (int second = 1; second <= 24; ++second) {
      SCOPED_TRACE(std::to_string(first) + ", " + std::to_string(second));
      auto rig = make_rig();
      rig->faults.fail_from = first;
      Outcome outcome;
      if (rig->open().ok()) outcome = work(*rig, 0);
      const bool died = rig->faults.operations >= first;
      rig->kill();
      if (!died) return;
      rig->faults.fail_from = rig->faults.operations + second;
      if (rig->open().ok()) {
        const int n = check(*rig, outcome);
        outcome = work(*rig, n);
      }
      rig->kill();
      SeededRandom coin(static_cast<std::uint64_t>(first * 100 + second));
      rig->memory.crash({.unsynced = disk::PowerLoss::Unsynced::kTorn, .random = &coin});
      expect_open(*rig);
      if (!rig->is_open()) return;
      EXPECT_GE(rig->engine().committed().value, static_cast<std::uint64_t>(outcome.acknowledged));
    }
  }
}

TEST_F(LogCrash, DeathDuringRecoveryLosesNothing) {
  for (const auto first : {Death::kPower, Death::kProcess}) {
    for (const auto second : {Death::kPower, Death::kProcess}) {
      for (int k = 3; k < 90; k += 5) {
        int j = 1;
        while (die_twice(k, j, first, second)) ++j;
        if (HasFailure()) return;
        EXPECT_GT(j, 3);
      }
    }
  }
}

/// A start whose own sync fails is tried again.
void start_again(LogRig& rig) {
  if (rig.open().ok()) return;
  rig.kill();
  expect_open(rig);
}

/// Opens and works until sync k has failed, and the process ends. False when there are fewer syncs.
bool die_of_a_failed_sync(LogRig& rig, int k, DiskFaults::Pages pages, Outcome& outcome) {
  rig.faults.pages = pages;
  rig.faults.fail_sync = k;
  if (rig.open().ok()) outcome = work(rig, 0);
  const bool failed = rig.faults.syncs >= k;
  rig.kill();
  return failed;
}

/// Sync k fails in one of the three ways of file systems. The cell stops when it hears of it, is started again, works
/// on, and only then the power fails. False when there are fewer syncs.
bool fail_sync(int k, DiskFaults::Pages pages) {
  SCOPED_TRACE("sync " + std::to_string(k));
  auto rig = make_rig();
  Outcome outcome;
  const bool failed = die_of_a_failed_sync(*rig, k, pages, outcome);
  start_again(*rig);
  if (testing::Test::HasFailure()) return false;
  outcome = {.acknowledged = check(*rig, outcome)};
  rig->lose_power();
  start_again(*rig);
  if (testing::Test::HasFailure()) return false;
  outcome = work(*rig, check(*rig, outcome));
  rig->lose_power();
  expect_open(*rig);
  if (testing::Test::HasFailure()) return false;
  check(*rig, outcome);
  return failed;
}

TEST_F(LogCrash, NoFailedSyncLosesWhatWasAcknowledged) {
  using Pages = DiskFaults::Pages;
  for (const Pages pages : {Pages::kKept, Pages::kReverted, Pages::kToldLate}) {
    int k = 1;
    while (fail_sync(k, pages)) ++k;
    if (HasFailure()) return;
    EXPECT_GT(k, 20);
  }
}

/// As above, told late, and the start that comes next has no room for a flush of the index. Its process ends as well:
/// the one after it must still know.
bool fail_sync_then_lack_room(int k) {
  SCOPED_TRACE("sync " + std::to_string(k));
  auto rig = make_rig();
  Outcome outcome;
  const bool failed = die_of_a_failed_sync(*rig, k, DiskFaults::Pages::kToldLate, outcome);
  rig->index_faults.flush_bytes = std::uint64_t{1} << 40;
  rig->memory.set_limit(std::uint64_t{1} << 30);
  start_again(*rig);
  if (testing::Test::HasFailure()) return false;
  outcome = {.acknowledged = check(*rig, outcome)};
  rig->kill();
  rig->index_faults.flush_bytes = 0;
  start_again(*rig);
  if (testing::Test::HasFailure()) return false;
  EXPECT_FALSE(rig->log_engine().status().flush_owed);
  rig->lose_power();
  expect_open(*rig);
  if (testing::Test::HasFailure()) return false;
  check(*rig, outcome);
  return failed;
}

TEST_F(LogCrash, WhatAFailedSyncTookAlongIsOwedFromStartToStart) {
  int k = 1;
  while (fail_sync_then_lack_room(k)) ++k;
  EXPECT_GT(k, 20);
}

/// Told late at sync k, and then sync j of the next start fails too, and programs see again what the disk has. False
/// when there are fewer syncs.
bool fail_sync_and_one_of_the_start(int k, int j, bool& more) {
  SCOPED_TRACE("syncs " + std::to_string(k) + ", " + std::to_string(j));
  auto rig = make_rig();
  Outcome outcome;
  const bool failed = die_of_a_failed_sync(*rig, k, DiskFaults::Pages::kToldLate, outcome);
  rig->faults.syncs = 0;
  rig->faults.pages = DiskFaults::Pages::kReverted;
  rig->faults.fail_sync = j;
  start_again(*rig);
  if (testing::Test::HasFailure()) return false;
  more = rig->faults.syncs >= j;
  rig->faults.fail_sync = 1 << 30;
  check(*rig, outcome);
  rig->lose_power();
  expect_open(*rig);
  if (testing::Test::HasFailure()) return false;
  check(*rig, outcome);
  return failed;
}

TEST_F(LogCrash, NoSyncOfAStartTakesAwayWhatAFailedOneLeftInMemory) {
  bool more = true;
  for (int j = 1; more; ++j) {
    int k = 1;
    more = false;
    for (bool some = false; fail_sync_and_one_of_the_start(k, j, some); ++k) more = more || some;
    if (HasFailure()) return;
    EXPECT_GT(k, 20);
  }
}

void leave_room(LogRig& rig, std::uint64_t blocks) {
  constexpr std::uint64_t kAll = std::uint64_t{1} << 30;
  rig.memory.set_limit(kAll);
  rig.memory.set_limit(kAll - rig.memory.space_now().free_bytes + blocks * 4096);
}

/// Header, copies and a mark are all that a start needs: no seal, no spare file, no room for the index.
TEST_F(LogCrash, AStartNeedsRoomForWhatLiesAboveTheMarkOnly) {
  constexpr std::uint64_t kBlocks = 3;
  for (std::uint64_t blocks = 0; blocks < 24; ++blocks) {
    SCOPED_TRACE(blocks);
    auto rig = make_rig();
    expect_open(*rig);
    for (int n = 1; n <= 7; ++n) EXPECT_TRUE(commit_number(*rig, n).ok());
    rig->kill();
    EXPECT_TRUE(rig->memory.remove_now("log/spare.tmp").ok());
    leave_room(*rig, blocks);
    rig->index_faults.flush_bytes = std::uint64_t{1} << 40;
    const auto opened = rig->open();
    EXPECT_EQ(opened.ok(), blocks >= kBlocks);
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().code, Code::kNoSpace);
      continue;
    }
    check(*rig, {.acknowledged = 7});
    rig->kill();
    leave_room(*rig, kBlocks);
    expect_open(*rig);
    if (HasFailure()) return;
    check(*rig, {.acknowledged = 7});
    rig->memory.set_limit(std::nullopt);
    rig->index_faults.flush_bytes = 0;
    rig->lose_power();
    expect_open(*rig);
    check(*rig, {.acknowledged = 7});
  }
}

TEST_F(LogCrash, SurvivorsAboveTheMarkAreCopiedBeforeTheIndexKeepsThem) {
  auto rig = make_rig();
  expect_open(*rig);
  for (int n = 1; n <= 3; ++n) EXPECT_TRUE(commit_number(*rig, n).ok());
  EXPECT_EQ(rig->engine().durable_through().value, 2u);  // the third has no mark
  rig->kill();
  expect_open(*rig);
  EXPECT_EQ(rig->engine().durable_through().value, 3u);
  // The index keeps the survivor, then the power fails: the log must still know it.
  EXPECT_TRUE(run_to_end(rig->loop, rig->rows.flush()).ok());
  rig->lose_power();
  expect_open(*rig);
  EXPECT_EQ(check(*rig, {.acknowledged = 3}), 3);
  auto log = run_to_end(rig->loop, rig->engine().read_log(Sequence{2}, 10));
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(log->size(), 1u);
}

}  // namespace
}  // namespace tombolo::kv
