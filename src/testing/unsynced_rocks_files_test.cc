#include "testing/unsynced_rocks_files.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "testing/test_folder.h"

namespace tombolo::testing {
namespace {

namespace fs = std::filesystem;

class UnsyncedRocksFilesTest : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return root_ + "/" + name; }
  std::unique_ptr<rocksdb::FSWritableFile> create(const std::string& name, const std::string& text) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    EXPECT_TRUE(files_.NewWritableFile(at(name), {}, &file, nullptr).ok());
    EXPECT_TRUE(file->Append(text, {}, nullptr).ok());
    return file;
  }
  void sync_names() {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    ASSERT_TRUE(files_.NewDirectory(root_, {}, &directory, nullptr).ok());
    ASSERT_TRUE(directory->FsyncWithDirOptions({}, nullptr, {}).ok());
  }
  /// What is left after kill -9; nullopt: no such file.
  std::optional<std::string> left(const std::string& name) const {
    std::ifstream in(at(name), std::ios::binary);
    if (!in) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  /// What RocksDB sees.
  std::optional<std::string> seen(const std::string& name) {
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    if (!files_.NewSequentialFile(at(name), {}, &file, nullptr).ok()) return std::nullopt;
    std::string buffer(100, '\0');
    rocksdb::Slice read;
    EXPECT_TRUE(file->Read(buffer.size(), {}, &read, buffer.data(), nullptr).ok());
    return read.ToString();
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    EXPECT_TRUE(files_.GetChildren(root_, {}, &out, nullptr).ok());
    std::sort(out.begin(), out.end());
    return out;
  }

  const TestFolder folder_;
  const std::string root_ = folder_.path();
  UnsyncedRocksFiles files_;
};

TEST_F(UnsyncedRocksFilesTest, AFileIsLostUntilItAndItsNameAreSynced) {
  auto file = create("a", "one");
  EXPECT_EQ(seen("a"), "one");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
  ASSERT_TRUE(file->Sync({}, nullptr).ok());
  EXPECT_EQ(left("a"), std::nullopt);
  ASSERT_TRUE(file->Append("two", {}, nullptr).ok());
  sync_names();
  EXPECT_EQ(left("a"), "one");
  ASSERT_TRUE(file->Append("three", {}, nullptr).ok());
  EXPECT_EQ(seen("a"), "onetwothree");
  EXPECT_EQ(left("a"), "one");
  ASSERT_TRUE(file->Fsync({}, nullptr).ok());
  EXPECT_EQ(left("a"), "onetwothree");
  file.reset();
  EXPECT_EQ(seen("a"), "onetwothree");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(UnsyncedRocksFilesTest, ARenameAndADeleteWaitForTheDirectory) {
  ASSERT_TRUE(create("old", "old")->Sync({}, nullptr).ok());
  sync_names();
  ASSERT_TRUE(create("fresh", "fresh")->Sync({}, nullptr).ok());
  ASSERT_TRUE(files_.RenameFile(at("fresh"), at("old"), {}, nullptr).ok());
  EXPECT_EQ(seen("old"), "fresh");
  EXPECT_EQ(left("old"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"old"});
  sync_names();
  EXPECT_EQ(left("old"), "fresh");
  ASSERT_TRUE(files_.DeleteFile(at("old"), {}, nullptr).ok());
  EXPECT_EQ(seen("old"), std::nullopt);
  EXPECT_TRUE(files_.FileExists(at("old"), {}, nullptr).IsNotFound());
  EXPECT_TRUE(files_.DeleteFile(at("old"), {}, nullptr).IsNotFound());
  EXPECT_EQ(left("old"), "fresh");
  sync_names();
  EXPECT_EQ(left("old"), std::nullopt);
}

TEST_F(UnsyncedRocksFilesTest, ADeletedNameCanBeTakenAgain) {
  ASSERT_TRUE(create("a", "first")->Sync({}, nullptr).ok());
  sync_names();
  ASSERT_TRUE(files_.DeleteFile(at("a"), {}, nullptr).ok());
  auto second = create("a", "second");
  ASSERT_TRUE(second->Sync({}, nullptr).ok());
  EXPECT_EQ(seen("a"), "second");
  EXPECT_EQ(left("a"), "first");
  sync_names();
  EXPECT_EQ(left("a"), "second");
}

TEST_F(UnsyncedRocksFilesTest, ForgottenSyncsKeepNothing) {
  UnsyncedRocksFiles forgetful(RocksSyncs::kForgotten);
  std::unique_ptr<rocksdb::FSWritableFile> file;
  ASSERT_TRUE(forgetful.NewWritableFile(at("a"), {}, &file, nullptr).ok());
  ASSERT_TRUE(file->Append("text", {}, nullptr).ok());
  ASSERT_TRUE(file->Sync({}, nullptr).ok());
  ASSERT_TRUE(forgetful.sync_directory(root_, {}, nullptr).ok());
  EXPECT_EQ(left("a"), std::nullopt);
}

TEST_F(UnsyncedRocksFilesTest, WhatRocksDbFlushedIsAllThatAKillLeaves) {
  const auto files = std::make_shared<UnsyncedRocksFiles>();
  const auto env = rocksdb::NewCompositeEnv(files);
  rocksdb::Options options;
  options.create_if_missing = true;
  options.avoid_flush_during_shutdown = true;
  const rocksdb::Options plain = options;
  options.env = env.get();
  rocksdb::WriteOptions no_log;
  no_log.disableWAL = true;
  const auto open = [](const rocksdb::Options& how, const std::string& path) {
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(how, path, &db);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return std::unique_ptr<rocksdb::DB>(db);
  };
  for (int round = 0; round < 3; ++round) {
    const auto db = open(options, at("index"));
    ASSERT_TRUE(db->Put(no_log, "flushed", std::to_string(round)).ok());
    ASSERT_TRUE(db->Flush({}).ok());
    ASSERT_TRUE(db->Put(no_log, "not flushed", "x").ok());
    // A kill leaves what the machine has right now.
    fs::copy(at("index"), at("killed" + std::to_string(round)), fs::copy_options::recursive);
    const auto after = open(plain, at("killed" + std::to_string(round)));
    std::string value;
    EXPECT_TRUE(after->Get({}, "flushed", &value).ok());
    EXPECT_EQ(value, std::to_string(round));
    EXPECT_TRUE(after->Get({}, "not flushed", &value).IsNotFound());
  }
}

}  // namespace
}  // namespace tombolo::testing
