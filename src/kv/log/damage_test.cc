// Damaged and missing log files: a torn tail is cut, anything else halts with a name.
#include <gmock/gmock.h>

#include "async/sleep.h"
#include "async/virtual_time.h"
#include "base/log.h"
#include "kv/log/log_rig_test.h"

namespace tombolo::kv {
namespace {

using testing::HasSubstr;

class LogDamage : public testing::Test {
 protected:
  LogDamage() { set_log_level(LogLevel::kError); }
  ~LogDamage() override { set_log_level(LogLevel::kInfo); }

  void put_numbers(int from, int to) {
    for (int n = from; n <= to; ++n) ASSERT_TRUE(rig_.put("n", std::to_string(n)).ok());
  }
  std::string last_file() { return rig_.log_files().back(); }
  /// Where the record of a transaction lies in a file whose groups hold one small transaction each.
  static std::uint64_t offset_of(int index) { return 4096 * (1 + static_cast<std::uint64_t>(index)); }

  void expect_halt(const std::string& name, const std::string& why) {
    const auto opened = rig_.open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Code::kCorrupt);
    EXPECT_THAT(opened.error().message, HasSubstr(name));
    EXPECT_THAT(opened.error().message, HasSubstr(why));
  }
  void expect_open_at(int n) {
    const auto opened = rig_.open();
    ASSERT_TRUE(opened.ok()) << to_string(opened.error());
    EXPECT_EQ(rig_.engine().committed().value, static_cast<std::uint64_t>(n));
    EXPECT_EQ(rig_.get("n"), std::to_string(n));
  }

  LogRig rig_;
};

TEST_F(LogDamage, GarbageAfterTheLastRecordIsCut) {
  put_numbers(1, 3);
  const std::string name = last_file();
  rig_.kill();
  rig_.write_file(name, offset_of(3), Bytes(5'000, std::byte{0xa5}));
  expect_open_at(3);
  put_numbers(4, 6);
  rig_.kill();
  expect_open_at(6);
}

TEST_F(LogDamage, TornLastRecordIsCut) {
  put_numbers(1, 3);
  const std::string name = last_file();
  rig_.kill();
  rig_.write_file(name, offset_of(2) + 30, Bytes(4'000));
  expect_open_at(2);
}

// Wherever a crash cut the file: the records that are all there count, also one that lacks some of its padding.
TEST_F(LogDamage, FileThatEndsWithinTheLastRecordOpens) {
  for (const std::uint64_t kept : {1u, 63u, 64u, 90u, 200u, 4'095u}) {
    LogRig rig;
    for (const char* n : {"1", "2", "3"}) ASSERT_TRUE(rig.put("n", n).ok());
    const std::string name = rig.log_files().back();
    rig.kill();
    rig.cut_file(name, offset_of(2) + kept);
    const auto opened = rig.open();
    ASSERT_TRUE(opened.ok()) << kept << " " << to_string(opened.error());
    EXPECT_EQ(rig.get("n"), kept < 82 ? "2" : "3") << kept;  // the record has 82 bytes
    ASSERT_TRUE(rig.put("n", "4").ok());
    rig.kill();
    ASSERT_TRUE(rig.open().ok()) << kept;
    EXPECT_EQ(rig.get("n"), "4");
  }
}

TEST_F(LogDamage, FlippedBitBelowTheMarkHaltsNamingFileAndOffset) {
  put_numbers(1, 5);
  const std::string name = last_file();
  rig_.kill();
  rig_.flip_bit(name, offset_of(1) + 70);
  expect_halt(name, "offset 8192");
}

TEST_F(LogDamage, BrokenLengthDoesNotHideLaterMarks) {
  put_numbers(1, 5);
  const std::string name = last_file();
  rig_.kill();
  rig_.flip_bit(name, offset_of(2) + 38);  // the payload's length
  expect_halt(name, "transaction 3 at offset 12288");
}

TEST_F(LogDamage, FlippedBitInTheLastWindowLooksLikeATornTail) {
  put_numbers(1, 5);
  const std::string name = last_file();
  rig_.kill();
  rig_.flip_bit(name, offset_of(4) + 70);
  expect_open_at(4);
}

TEST_F(LogDamage, IdleMarkClosesThatWindow) {
  put_numbers(1, 5);
  for (int i = 0; i < 100 && rig_.engine().durable_through().value < 5; ++i) {
    rig_.loop.restart();
    rig_.loop.run_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(rig_.engine().durable_through().value, 5u);
  const std::string name = last_file();
  rig_.kill();
  rig_.flip_bit(name, offset_of(4) + 70);
  expect_halt(name, "transaction 5 at offset 20480");
}

// Whenever the last commit came while the one before waited for its mark.
TEST(LogMark, FollowsTheLastCommitAfterAtMost100Ms) {
  LogRig rig(false);
  VirtualTime time(rig.loop, rig.clock);
  ASSERT_TRUE(rig.open().ok());
  for (const int between_ms : {0, 1, 25, 49, 50, 51, 99, 100}) {
    ASSERT_TRUE(rig.put("n", "the one before").ok());
    ASSERT_TRUE(time.run(sleep_for(std::chrono::milliseconds(between_ms)), std::chrono::seconds(1)).ok());
    ASSERT_TRUE(rig.put("n", "the last").ok());
    const Sequence last = rig.engine().committed();
    EXPECT_LT(rig.engine().durable_through(), last) << "there is no window";
    ASSERT_TRUE(time.run(sleep_for(std::chrono::milliseconds(100)), std::chrono::seconds(1)).ok());
    ASSERT_TRUE(time.run(sleep_for({}), std::chrono::seconds(1)).ok());  // what else is due now has been done
    time.settle();
    EXPECT_EQ(rig.engine().durable_through(), last) << between_ms;
  }
}

TEST_F(LogDamage, DamageBelowWhatTheIndexHoldsIsHarmless) {
  put_numbers(1, 5);
  ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().flush()).ok());
  put_numbers(6, 8);
  const std::string name = last_file();
  rig_.kill();
  rig_.flip_bit(name, offset_of(1) + 70);
  rig_.flip_bit(name, offset_of(3) + 70);
  expect_open_at(8);
}

TEST_F(LogDamage, RecordAfterTheAppliedOneConfirmsIt) {
  put_numbers(1, 5);
  ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().flush()).ok());
  put_numbers(6, 8);
  const std::string name = last_file();
  rig_.kill();
  rig_.flip_bit(name, offset_of(4) + 70);  // the record that `applied` names
  expect_open_at(8);
}

TEST_F(LogDamage, SoDoesOneThatNoOtherFollows) {
  put_numbers(1, 5);
  ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().flush()).ok());
  put_numbers(6, 6);
  const std::string name = last_file();
  rig_.kill();
  rig_.flip_bit(name, offset_of(4) + 70);
  expect_open_at(6);
  rig_.lose_power();
  expect_open_at(6);
}

TEST_F(LogDamage, FlippedBitInAHeaderHalts) {
  put_numbers(1, 2);
  const std::string name = last_file();
  rig_.kill();
  rig_.flip_bit(name, 50);
  expect_halt(name, "header");
}

class LogDamageInSmallFiles : public LogDamage {
 protected:
  LogDamageInSmallFiles() {
    rig_.options.log.file_bytes = 6 * 4096;
    rig_.reopen();
    put_numbers(1, 14);
    names_ = rig_.log_files();
    rig_.kill();
  }
  void remove(const std::string& name) { EXPECT_TRUE(run_to_end(rig_.loop, rig_.memory.remove("log/" + name)).ok()); }
  std::vector<std::string> names_;
};

TEST_F(LogDamageInSmallFiles, UndamagedOpens) {
  EXPECT_GE(names_.size(), 4u);
  expect_open_at(14);
}

TEST_F(LogDamageInSmallFiles, LostLastFileHalts) {
  remove(names_.back());
  expect_halt(names_.back(), "is missing");
}

TEST_F(LogDamageInSmallFiles, SealsOutliveAPowerLoss) {
  rig_.memory.crash();
  remove(names_.back());
  expect_halt(names_.back(), "is missing");
}

TEST_F(LogDamageInSmallFiles, LossOfTheFileThatRecoveryMadeHalts) {
  expect_open_at(14);
  put_numbers(15, 15);
  const std::string made = last_file();
  rig_.lose_power();
  remove(made);
  expect_halt(made, "is missing");
}

TEST_F(LogDamageInSmallFiles, LostMiddleFileHalts) {
  remove(names_[names_.size() - 2]);
  expect_halt(names_[names_.size() - 2], "is missing");
}

TEST_F(LogDamageInSmallFiles, LostFirstFileHalts) {
  for (std::size_t i = 0; i < 2; ++i) remove(names_[i]);
  expect_halt(names_[2], "the log begins at transaction");
}

TEST_F(LogDamageInSmallFiles, DamagedSealIsMadeGood) {
  const std::string name = names_[names_.size() - 2];
  const Bytes bytes = rig_.read_file(name);
  rig_.flip_bit(name, bytes.size() - 4096 + 20);
  expect_open_at(14);
  rig_.kill();
  expect_open_at(14);
}

TEST_F(LogDamageInSmallFiles, AFlippedBitIsHarmlessOrNamed) {
  SeededRandom random(3);
  rig_.stop();
  const std::string last = names_.back();
  for (int i = 0; i < 200; ++i) {
    LogRig other(false);
    const std::string name = names_[random.below(names_.size())];
    const Bytes before = rig_.read_file(name);
    const std::uint64_t at = random.below(before.size());
    // A copy of the log on another disk, with one bit flipped.
    EXPECT_TRUE(run_to_end(other.loop, other.memory.make_directory("log")).ok());
    for (const auto& each : names_) {
      EXPECT_TRUE(run_to_end(other.loop, other.memory.open("log/" + each, disk::Open::kCreateNew)).ok());
      other.write_file(each, 0, rig_.read_file(each));
    }
    other.flip_bit(name, at);
    const auto opened = other.open();
    if (!opened.ok()) {
      EXPECT_THAT(opened.error().message, HasSubstr(name));
    } else if (other.get("n") != "14") {
      EXPECT_EQ(name, last) << at;  // only the last record, which has no mark, may be cut
      EXPECT_EQ(other.get("n"), "13");
    }
  }
}

TEST_F(LogDamage, LostLogHaltsWhereTheIndexHoldsSomething) {
  put_numbers(1, 2);
  ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().flush()).ok());
  rig_.kill();
  for (const auto& name : rig_.log_files()) ASSERT_TRUE(run_to_end(rig_.loop, rig_.memory.remove("log/" + name)).ok());
  expect_halt("'log'", "is missing");
}

TEST_F(LogDamage, ForeignIndexOrCellIsRefused) {
  put_numbers(1, 2);
  ASSERT_TRUE(run_to_end(rig_.loop, rig_.log_engine().flush()).ok());
  const Position applied = rig_.rows.applied();
  rig_.kill();
  for (const Position foreign : {Position{applied.log_id + 1, applied.sequence, applied.chain},
                                 Position{applied.log_id, applied.sequence, applied.chain + 1},
                                 Position{applied.log_id, {applied.sequence.value + 1}, applied.chain}}) {
    rig_.rows.apply_now({}, foreign);
    expect_halt("do not belong together", "");
  }
  rig_.rows.apply_now({}, applied);
  rig_.options.log.cell_id = 77;
  expect_halt("belongs to another cell", "");
  rig_.options.log.cell_id = 1;
  expect_open_at(2);
}

}  // namespace
}  // namespace tombolo::kv
