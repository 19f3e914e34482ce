#include "kv/rocks/manifest.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "kv/rocks/plain_db.h"
#include "testing/test_folder.h"

namespace tombolo::kv {
namespace {

/// A MANIFEST as RocksDB writes it: with as many records as there were flushes, and more.
class ManifestTest : public testing::Test {
 protected:
  ManifestTest() {
    const auto db = open_plain_db(root_);
    for (int n = 0; n < 6; ++n) {
      EXPECT_TRUE(db->Put({}, std::string(1'000, static_cast<char>('a' + n)), "x").ok());
      EXPECT_TRUE(db->Flush({}).ok());
      std::string live;
      EXPECT_TRUE(rocksdb::ReadFileToString(rocksdb::Env::Default(), path(), &live).ok());
      ends_.push_back(live.size());
    }
    EXPECT_TRUE(rocksdb::ReadFileToString(rocksdb::Env::Default(), path(), &bytes_).ok());
  }

  std::string path() const {
    std::string name;
    EXPECT_TRUE(rocksdb::ReadFileToString(rocksdb::Env::Default(), root_ + "/CURRENT", &name).ok());
    return root_ + "/" + name.substr(0, name.find('\n'));
  }

  const TestFolder folder_;
  const std::string root_ = folder_.path();
  std::string bytes_;
  std::vector<std::size_t> ends_;  // of the file after each flush
};

TEST_F(ManifestTest, AWholeFileIsWhole) {
  EXPECT_GT(bytes_.size(), 6 * 2'000u);
  EXPECT_EQ(whole_records(bytes_), bytes_.size());
  EXPECT_EQ(whole_records(""), 0u);
  EXPECT_EQ(whole_records(std::string(100'000, '\0')), 0u);
}

TEST_F(ManifestTest, WhatIsWholeEndsBeforeAnyDamage) {
  for (std::size_t at = 0; at < bytes_.size(); at += 7) {
    std::string damaged = bytes_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_LE(whole_records(damaged), at);
    EXPECT_LE(whole_records(std::string_view(bytes_).substr(0, at)), at);
  }
  std::string damaged = bytes_;
  damaged[ends_[3] + 10] ^= 1;
  EXPECT_EQ(whole_records(damaged), ends_[3]);
}

TEST_F(ManifestTest, RecordsOfSeveralBlocksAreTakenWhole) {
  const auto db = open_plain_db(root_);
  for (int n = 0; n < 3; ++n) {  // both bounds of a file's keys are in its record
    ASSERT_TRUE(db->Put({}, std::string(50'000, static_cast<char>('a' + n)), "x").ok());
    ASSERT_TRUE(db->Flush({}).ok());
  }
  std::string bytes;
  ASSERT_TRUE(rocksdb::ReadFileToString(rocksdb::Env::Default(), path(), &bytes).ok());
  EXPECT_GT(bytes.size(), 300'000u);
  EXPECT_EQ(whole_records(bytes), bytes.size());
  EXPECT_LT(whole_records(std::string_view(bytes).substr(0, bytes.size() - 1)), bytes.size() - 1);
}

TEST_F(ManifestTest, OnlyADamagedOneIsCut) {
  rocksdb::Env& env = *rocksdb::Env::Default();
  EXPECT_EQ(*cut_damaged_manifest(env, root_), false);
  std::string damaged = bytes_;
  damaged[ends_[4] + 10] ^= 1;
  ASSERT_TRUE(rocksdb::WriteStringToFile(&env, damaged, path()).ok());
  EXPECT_EQ(*cut_damaged_manifest(env, root_), true);
  std::string left;
  ASSERT_TRUE(rocksdb::ReadFileToString(&env, path(), &left).ok());
  EXPECT_EQ(left, bytes_.substr(0, ends_[4]));
  EXPECT_EQ(*cut_damaged_manifest(env, root_), false);
  ASSERT_TRUE(rocksdb::WriteStringToFile(&env, std::string(1'000, '\0'), path()).ok());
  EXPECT_EQ(*cut_damaged_manifest(env, root_), false) << "nothing would be left";
  std::filesystem::remove(path());
  EXPECT_FALSE(cut_damaged_manifest(env, root_).ok());
}

}  // namespace
}  // namespace tombolo::kv
