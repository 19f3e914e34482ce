#include "testing/sim_rocks_files.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

namespace tombolo::testing {
namespace {

using Unsynced = disk::PowerLoss::Unsynced;

class SimRocksFilesTest : public ::testing::Test {
 protected:
  std::unique_ptr<rocksdb::DB> open() {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.avoid_flush_during_shutdown = true;
    options.env = env_.get();
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(options, "/index", &db);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return std::unique_ptr<rocksdb::DB>(db);
  }
  static bool put(rocksdb::DB& db, const std::string& key, const std::string& value) {
    rocksdb::WriteOptions no_log;
    no_log.disableWAL = true;
    return db.Put(no_log, key, value).ok();
  }
  static std::string get(rocksdb::DB& db, const std::string& key) {
    std::string value;
    return db.Get({}, key, &value).ok() ? value : "nothing";
  }

  SimMachine machine_;
  SimDisk disk_{machine_, 3};
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(std::make_shared<SimRocksFiles>(disk_));
};

TEST_F(SimRocksFilesTest, WhatRocksDbFlushedSurvivesAnyCrash) {
  ASSERT_TRUE(disk_.make_directory_now("index").ok());
  ASSERT_TRUE(disk_.sync_directory_now("").ok());
  int round = 0;
  for (const auto unsynced : {Unsynced::kLost, Unsynced::kKept, Unsynced::kTorn, Unsynced::kTorn, Unsynced::kTorn}) {
    ++round;
    {
      const auto db = open();
      ASSERT_TRUE(put(*db, "flushed", std::to_string(round)));
      ASSERT_TRUE(db->Flush({}).ok());
      ASSERT_TRUE(put(*db, "not flushed", "x"));
    }
    disk_.lose_power(unsynced);
    const auto db = open();
    EXPECT_EQ(get(*db, "flushed"), std::to_string(round));
    EXPECT_EQ(get(*db, "not flushed"), "nothing");
  }
}

TEST_F(SimRocksFilesTest, DeathAtAnyStepOfAFlushLeavesTheRowsBeforeOrAfter) {
  ASSERT_TRUE(disk_.make_directory_now("index").ok());
  ASSERT_TRUE(disk_.sync_directory_now("").ok());
  bool died = true;
  int deaths = 0;
  std::string last = "nothing";
  for (std::uint64_t k = 1; died; ++k) {
    const std::string value = std::to_string(k);
    {
      const auto db = open();
      ASSERT_TRUE(put(*db, "row", value));
      machine_.die_at(k, k % 2 == 0 ? Moment::kBefore : Moment::kAfter);
      db->Flush({}).PermitUncheckedError();
      died = machine_.dead();
    }
    deaths += died;
    disk_.lose_power(Unsynced::kTorn);
    const auto db = open();
    const std::string found = get(*db, "row");
    EXPECT_TRUE(found == value || found == last) << found;
    if (!died) {
      EXPECT_EQ(found, value);
    }
    last = found;
  }
  EXPECT_GT(deaths, 4);
}

}  // namespace
}  // namespace tombolo::testing
