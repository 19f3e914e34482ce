#include "testing/sim_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "async/run.h"

namespace tombolo::testing {
namespace {

using disk::Open;
using Unsynced = disk::PowerLoss::Unsynced;

class SimDiskTest : public ::testing::Test {
 protected:
  std::unique_ptr<SimFile> create(const std::string& path) { return *disk_.open_now(path, Open::kCreateNew); }
  /// A file whose name and bytes are durable.
  std::unique_ptr<SimFile> durable(const std::string& path, std::string_view text) {
    auto file = create(path);
    EXPECT_TRUE(file->write_now(0, as_bytes(text)).ok());
    EXPECT_TRUE(file->sync_now().ok());
    EXPECT_TRUE(disk_.sync_directory_now("").ok());
    return file;
  }
  std::string content(const std::string& path) {
    const auto file = disk_.open_now(path, Open::kRead);
    if (!file.ok()) return std::string(code_name(file.error().code));
    std::string out(*(*file)->size_now(), ' ');
    EXPECT_TRUE((*file)->read_now(0, std::as_writable_bytes(std::span(out))).ok());
    return out;
  }
  static bool says(const Result<void>& result, Code code) { return !result.ok() && result.error().code == code; }

  SimMachine machine_;
  SimDisk disk_{machine_, 7};
};

TEST_F(SimDiskTest, DiesBeforeOrAfterTheChosenChange) {
  auto file = durable("a", "old");
  machine_.die_at(2, Moment::kBefore);
  EXPECT_TRUE(file->write_now(0, as_bytes("new")).ok());
  EXPECT_TRUE(says(file->sync_now(), Code::kUnavailable));
  EXPECT_TRUE(machine_.dead());
  EXPECT_EQ(content("a"), "unavailable");
  disk_.lose_power(Unsynced::kLost);
  EXPECT_EQ(content("a"), "old");

  file = *disk_.open_now("a", Open::kReadWrite);
  machine_.die_at(2, Moment::kAfter);
  EXPECT_TRUE(file->write_now(0, as_bytes("new")).ok());
  EXPECT_TRUE(says(file->sync_now(), Code::kUnavailable));
  disk_.lose_power(Unsynced::kLost);
  EXPECT_EQ(content("a"), "new");
  EXPECT_TRUE(says(file->write_now(0, as_bytes("x")), Code::kUnavailable)) << "a file of the life before";
}

TEST_F(SimDiskTest, AKilledProcessLosesNothingUntilThePowerFails) {
  auto file = durable("a", "old");
  ASSERT_TRUE(file->write_now(0, as_bytes("new")).ok());
  create("b");
  disk_.kill();
  EXPECT_EQ(content("a"), "new");
  EXPECT_EQ(content("b"), "");
  disk_.lose_power(Unsynced::kLost);
  EXPECT_EQ(content("a"), "old");
  EXPECT_EQ(content("b"), "not_found");
}

TEST_F(SimDiskTest, WhatWasNotSyncedMayAlsoBeKept) {
  auto file = durable("a", "old");
  ASSERT_TRUE(file->write_now(0, as_bytes("new")).ok());
  create("b");
  disk_.lose_power(Unsynced::kKept);
  EXPECT_EQ(content("a"), "new");
  EXPECT_EQ(content("b"), "");
}

TEST_F(SimDiskTest, EachUnsyncedSectorIsKeptDroppedOrGarbled) {
  std::set<std::string> seen;
  bool mixed = false;
  for (int round = 0; round < 60; ++round) {
    const std::string name = "f" + std::to_string(round);
    auto file = durable(name, std::string(4 * 512, 'o'));
    ASSERT_TRUE(file->write_now(0, as_bytes(std::string(3 * 512, 'n'))).ok());
    disk_.lose_power(Unsynced::kTorn);
    const std::string left = content(name);
    ASSERT_EQ(left.size(), 4u * 512);
    EXPECT_EQ(left.substr(3 * 512), std::string(512, 'o')) << "a sector that nobody wrote";
    std::string fates;
    for (std::size_t at = 0; at < 3 * 512; at += 512) {
      const std::string sector = left.substr(at, 512);
      fates += sector == std::string(512, 'o') ? 'd' : sector == std::string(512, 'n') ? 'k' : 'g';
    }
    mixed = mixed || (fates.contains('k') && fates.contains('d') && fates.contains('g'));
    seen.insert(fates);
  }
  EXPECT_TRUE(mixed);
  EXPECT_TRUE(seen.contains("kkk") && seen.contains("ddd"));
}

TEST_F(SimDiskTest, ATornSectorTakesSyncedBytesAlong) {
  bool garbled = false;
  for (int round = 0; round < 60; ++round) {
    const std::string name = "f" + std::to_string(round);
    auto file = durable(name, "synced");
    ASSERT_TRUE(file->write_now(6, as_bytes("more")).ok());
    disk_.lose_power(Unsynced::kTorn);
    garbled = garbled || !content(name).starts_with("synced");
  }
  EXPECT_TRUE(garbled);
}

TEST_F(SimDiskTest, RocksDbsSyncedBytesAreSpared) {
  ASSERT_TRUE(disk_.make_directory_now("index").ok());
  ASSERT_TRUE(disk_.sync_directory_now("").ok());
  for (int round = 0; round < 60; ++round) {
    const std::string name = "index/f" + std::to_string(round);
    auto file = create(name);
    ASSERT_TRUE(file->write_now(0, as_bytes("synced")).ok());
    ASSERT_TRUE(file->sync_now().ok());
    ASSERT_TRUE(disk_.sync_directory_now("index").ok());
    ASSERT_TRUE(file->write_now(6, as_bytes("more")).ok());
    disk_.lose_power(Unsynced::kTorn);
    EXPECT_TRUE(content(name).starts_with("synced"));
  }
}

TEST_F(SimDiskTest, UnsyncedNamesComeAndGoOneByOne) {
  std::set<std::string> seen;
  for (int round = 0; round < 60; ++round) {
    const std::string n = std::to_string(round);
    durable("removed" + n, "r");
    durable("from" + n, "f");
    create("new" + n);
    ASSERT_TRUE(disk_.remove_now("removed" + n).ok());
    ASSERT_TRUE(disk_.rename_now("from" + n, "to" + n).ok());
    disk_.lose_power(Unsynced::kTorn);
    std::string left;
    for (const char* name : {"new", "removed", "from", "to"}) {
      if (content(name + n) != "not_found") left += name[0];
    }
    seen.insert(left);
  }
  EXPECT_TRUE(seen.contains("nrf")) << "create kept, remove and rename undone";
  EXPECT_TRUE(seen.contains("t")) << "create undone, remove and rename kept";
  EXPECT_GT(seen.size(), 6u);
}

TEST_F(SimDiskTest, AFailedSyncLeavesPagesInThreeWays) {
  for (const auto& [fault, seen_then] : {std::pair{SyncFault::kPagesKept, "new"}, {SyncFault::kPagesReverted, ""}}) {
    const std::string name = seen_then[0] == 'n' ? "kept" : "reverted";
    auto file = durable(name, "old");
    ASSERT_TRUE(file->write_now(0, as_bytes("new")).ok());
    machine_.fail_sync(1, fault);
    EXPECT_TRUE(says(file->sync_now(), Code::kUnavailable));
    EXPECT_TRUE(machine_.has_failed());
    if (fault == SyncFault::kPagesKept) {
      EXPECT_EQ(content(name), "new");
    }
    EXPECT_TRUE(says(file->write_now(0, as_bytes("x")), Code::kUnavailable)) << "fenced";
    auto again = *disk_.open_now(name, Open::kReadWrite);
    EXPECT_TRUE(again->sync_now().ok());  // and yet nothing is written by it
  }
  auto file = durable("late", "old");
  ASSERT_TRUE(file->write_now(0, as_bytes("new")).ok());
  machine_.fail_sync(1, SyncFault::kToldLate);
  EXPECT_TRUE(file->sync_now().ok());
  EXPECT_EQ(content("late"), "new");
  EXPECT_TRUE(file->write_now(0, as_bytes("NEW")).ok()) << "only a sync tells";
  EXPECT_FALSE(machine_.at_risk());
  EXPECT_TRUE(says(file->sync_now(), Code::kUnavailable));
  EXPECT_TRUE(machine_.at_risk());
}

TEST_F(SimDiskTest, AnErrorToldLateTakesTheSyncBeforeAlong) {
  int lost = 0;
  for (int round = 0; round < 40; ++round) {
    const std::string name = "f" + std::to_string(round);
    auto file = durable(name, "old");
    ASSERT_TRUE(file->write_now(0, as_bytes("new")).ok());
    machine_.fail_sync(1, SyncFault::kToldLate);
    ASSERT_TRUE(file->sync_now().ok());
    if (round % 2 == 0) {  // before it is told, the journal has it
      disk_.lose_power(Unsynced::kLost);
      EXPECT_EQ(content(name), "new");
      continue;
    }
    disk_.kill();  // the kernel goes on, and tells the next process
    EXPECT_FALSE((*disk_.open_now(name, Open::kReadWrite))->sync_now().ok());
    EXPECT_EQ(content(name), "new");
    disk_.lose_power(Unsynced::kLost);
    lost += content(name) == "old";
  }
  EXPECT_GT(lost, 2);
  EXPECT_LT(lost, 18);
}

TEST_F(SimDiskTest, PagesThatASyncLostAreNeverWritten) {
  int lost = 0;
  for (int round = 0; round < 40; ++round) {
    const std::string name = "f" + std::to_string(round);
    auto file = durable(name, "old");
    ASSERT_TRUE(file->write_now(0, as_bytes("new")).ok());
    machine_.fail_sync(1, SyncFault::kPagesKept);
    EXPECT_FALSE(file->sync_now().ok());
    EXPECT_TRUE((*disk_.open_now(name, Open::kReadWrite))->sync_now().ok());
    disk_.lose_power(Unsynced::kKept);
    lost += content(name) == "old";
  }
  EXPECT_GT(lost, 5);
  EXPECT_LT(lost, 35) << "a device that fails may have written after all";
}

TEST_F(SimDiskTest, ChosenChangesAndReadsFailOnceAndSpaceEnds) {
  auto file = durable("a", "text");
  machine_.fail_change(2, Code::kNoSpace);
  EXPECT_TRUE(file->write_now(0, as_bytes("1")).ok());
  EXPECT_TRUE(says(file->write_now(0, as_bytes("2")), Code::kNoSpace));
  EXPECT_TRUE(file->write_now(0, as_bytes("3")).ok());
  machine_.fail_read(1);
  Bytes one(1);
  EXPECT_TRUE(says(file->read_now(0, one), Code::kUnavailable));
  EXPECT_TRUE(file->read_now(0, one).ok());
  disk_.set_limit(disk_.used_bytes());
  EXPECT_TRUE(says(file->write_now(4, as_bytes("more")), Code::kNoSpace));
  disk_.set_limit(std::nullopt);
  EXPECT_TRUE(file->write_now(4, as_bytes("more")).ok());
}

TEST_F(SimDiskTest, WhatWasToldOfAPlaceHappensThereAndNowhereElse) {
  auto file = create("a");
  disk::File& shown = *file;
  const auto write = [&] { return run_to_end(shown.write(0, as_bytes("1"))); };
  ASSERT_TRUE(write().ok());
  const SitesSteps sites = machine_.take_sites();
  ASSERT_EQ(sites.size(), 1u) << "calls from nowhere are not counted";
  const CallSite site = sites.begin()->first;
  EXPECT_EQ(site.file(), "testing/sim_disk_test.cc");
  EXPECT_EQ(sites.begin()->second.step, SimStep::kWrite);
  EXPECT_EQ(sites.begin()->second.steps, 1u);

  machine_.add_strike({.site = site.name(), .number = 2, .fault = SimFault::kNoSpace});
  machine_.clear();
  EXPECT_TRUE(write().ok());
  EXPECT_TRUE(run_to_end(shown.write(0, as_bytes("2"))).ok()) << "another place";
  EXPECT_TRUE(machine_.awaits_strike());
  EXPECT_TRUE(says(write(), Code::kNoSpace));
  EXPECT_FALSE(machine_.awaits_strike());
  EXPECT_TRUE(write().ok()) << "once";
  EXPECT_EQ(machine_.take_sites()[site].faults[static_cast<std::size_t>(SimFault::kNoSpace)], 1u);

  machine_.add_strike({.site = site.name(), .number = 1, .fault = SimFault::kDiesAfter});
  disk_.kill();
  EXPECT_TRUE(machine_.awaits_strike()) << "another life changes nothing";
  EXPECT_FALSE(write().ok());
  EXPECT_TRUE(machine_.dead());
}

TEST_F(SimDiskTest, LooksAndReadsDieAndFailToo) {
  auto file = durable("a", "text");
  disk::File& shown = *file;
  const auto size = [&] { return run_to_end(shown.size()); };
  ASSERT_TRUE(size().ok());
  const std::string name = machine_.take_sites().begin()->first.name();
  machine_.add_strike({.site = name, .number = 1, .fault = SimFault::kUnavailable});
  EXPECT_FALSE(size().ok());
  machine_.add_strike({.site = name, .number = 1, .fault = SimFault::kDiesAfter});
  EXPECT_FALSE(size().ok());
  EXPECT_TRUE(machine_.dead());
}

TEST_F(SimDiskTest, TheTraceTellsOneRunFromAnother) {
  const auto run = [](std::string_view text) {
    SimMachine machine;
    SimDisk disk(machine, 1);
    EXPECT_TRUE((*disk.open_now("a", Open::kCreateNew))->write_now(0, as_bytes(text)).ok());
    return machine.trace_hash();
  };
  EXPECT_EQ(run("same"), run("same"));
  EXPECT_NE(run("same"), run("else"));
}

}  // namespace
}  // namespace tombolo::testing
