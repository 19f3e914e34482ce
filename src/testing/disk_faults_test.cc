#include <gtest/gtest.h>

#include "async/run.h"
#include "base/random.h"
#include "disk/memory/memory_disk.h"
#include "testing/faulty_disk.h"
#include "testing/unsynced_disk.h"

namespace tombolo::testing {
namespace {

using disk::MemoryDisk;
using disk::Open;

class DiskFaults : public ::testing::Test {
 protected:
  template <class T>
  Result<T> run(Task<T> task) {
    return run_to_end(loop_, std::move(task));
  }
  Result<void> write(disk::File& file, std::uint64_t offset, std::string_view text) {
    return run(file.write(offset, as_bytes(text)));
  }
  std::string content(disk::Disk& disk, const std::string& path) {
    auto file = run(disk.open(path, Open::kRead));
    if (!file.ok()) return std::string(code_name(file.error().code));
    std::string out(*run((*file)->size()), ' ');
    EXPECT_TRUE(run((*file)->read(0, std::as_writable_bytes(std::span(out)))).ok());
    return out;
  }
  /// A new UnsyncedDisk over what the old one left: kill -9.
  void kill() { unsynced_ = std::make_unique<UnsyncedDisk>(memory_); }

  boost::asio::io_context loop_{1};
  MemoryDisk memory_;
  FaultyDisk faulty_{memory_};
  std::unique_ptr<UnsyncedDisk> unsynced_ = std::make_unique<UnsyncedDisk>(memory_);
};

TEST_F(DiskFaults, FaultyFailsTheCallThatItWasTold) {
  auto file = *run(faulty_.open("a", Open::kCreateNew));
  faulty_.fail({.call = DiskCall::kWrite, .number = 2, .code = Code::kNoSpace});
  EXPECT_TRUE(write(*file, 0, "1").ok());
  EXPECT_EQ(write(*file, 1, "2").error().code, Code::kNoSpace);
  EXPECT_TRUE(write(*file, 1, "3").ok());
  EXPECT_EQ(content(faulty_, "a"), "13");
  EXPECT_EQ(faulty_.count(DiskCall::kWrite), 3u);
}

TEST_F(DiskFaults, FaultyKeepsFailingUntilHealed) {
  auto file = *run(faulty_.open("a", Open::kCreateNew));
  faulty_.fail({.call = DiskCall::kWrite, .lasts = FaultLasts::kForever});
  EXPECT_FALSE(write(*file, 0, "1").ok());
  EXPECT_FALSE(write(*file, 0, "1").ok());
  faulty_.heal();
  EXPECT_TRUE(write(*file, 0, "1").ok());
}

TEST_F(DiskFaults, AFailedSyncFencesTheFileAndNothingIsDurable) {
  auto file = *run(faulty_.open("a", Open::kCreateNew));
  ASSERT_TRUE(run(faulty_.sync_directory("")).ok());
  ASSERT_TRUE(write(*file, 0, "1").ok());
  faulty_.fail({.call = DiskCall::kSync});
  EXPECT_EQ(run(file->sync()).error().code, Code::kUnavailable);
  EXPECT_EQ(run(file->sync()).error().code, Code::kUnavailable);
  EXPECT_EQ(write(*file, 0, "2").error().code, Code::kUnavailable);
  memory_.crash();
  EXPECT_EQ(content(faulty_, "a"), "");
}

TEST_F(DiskFaults, AFullDiskHeals) {
  auto file = *run(faulty_.open("a", Open::kCreateNew));
  faulty_.set_bytes_left(3);
  EXPECT_TRUE(write(*file, 0, "12").ok());
  EXPECT_EQ(write(*file, 2, "34").error().code, Code::kNoSpace);
  EXPECT_EQ(run(faulty_.space())->free_bytes, 1u);
  faulty_.set_bytes_left(std::nullopt);
  EXPECT_TRUE(write(*file, 2, "34").ok());
}

TEST_F(DiskFaults, UnsyncedBytesDieWithTheProcess) {
  auto file = *run(unsynced_->open("a", Open::kCreateNew));
  ASSERT_TRUE(write(*file, 0, "synced").ok());
  ASSERT_TRUE(run(file->sync()).ok());
  ASSERT_TRUE(run(unsynced_->sync_directory("")).ok());
  ASSERT_TRUE(write(*file, 2, "UNSYNCED").ok());
  EXPECT_EQ(content(*unsynced_, "a"), "syUNSYNCED");
  kill();
  EXPECT_EQ(content(*unsynced_, "a"), "synced");
}

TEST_F(DiskFaults, SyncedBytesWithoutASyncedNameDieToo) {
  auto file = *run(unsynced_->open("a", Open::kCreateNew));
  ASSERT_TRUE(write(*file, 0, "synced").ok());
  ASSERT_TRUE(run(file->sync()).ok());
  kill();
  EXPECT_EQ(content(*unsynced_, "a"), "not_found");
}

TEST_F(DiskFaults, ASyncedNameWithoutSyncedBytesIsAnEmptyFile) {
  auto file = *run(unsynced_->open("a", Open::kCreateNew));
  ASSERT_TRUE(write(*file, 0, "unsynced").ok());
  ASSERT_TRUE(run(unsynced_->sync_directory("")).ok());
  kill();
  EXPECT_EQ(content(*unsynced_, "a"), "");
}

TEST_F(DiskFaults, UnsyncedTruncationsAreUndone) {
  auto file = *run(unsynced_->open("a", Open::kCreateNew));
  ASSERT_TRUE(run(unsynced_->sync_directory("")).ok());
  ASSERT_TRUE(write(*file, 0, "0123456789").ok());
  ASSERT_TRUE(run(file->sync()).ok());
  ASSERT_TRUE(run(file->truncate(4)).ok());
  ASSERT_TRUE(write(*file, 6, "x").ok());
  const std::string expected("0123\0\0x", 7);
  EXPECT_EQ(content(*unsynced_, "a"), expected);
  EXPECT_EQ(content(memory_, "a"), "0123456789");
  ASSERT_TRUE(run(file->sync()).ok());
  kill();
  EXPECT_EQ(content(*unsynced_, "a"), expected);
}

TEST_F(DiskFaults, UnsyncedRenamesAndRemovesAreUndone) {
  for (const char* name : {"a", "b", "c"}) {
    auto file = *run(unsynced_->open(name, Open::kCreateNew));
    ASSERT_TRUE(write(*file, 0, name).ok());
    ASSERT_TRUE(run(file->sync()).ok());
  }
  ASSERT_TRUE(run(unsynced_->sync_directory("")).ok());
  ASSERT_TRUE(run(unsynced_->rename("a", "b")).ok());
  ASSERT_TRUE(run(unsynced_->remove("c")).ok());
  EXPECT_EQ(content(*unsynced_, "b"), "a");
  EXPECT_EQ(content(*unsynced_, "c"), "not_found");
  kill();
  EXPECT_EQ(content(*unsynced_, "b"), "b");
  EXPECT_EQ(content(*unsynced_, "c"), "c");
  ASSERT_TRUE(run(unsynced_->rename("a", "b")).ok());
  ASSERT_TRUE(run(unsynced_->remove("c")).ok());
  ASSERT_TRUE(run(unsynced_->sync_directory("")).ok());
  kill();
  EXPECT_EQ(content(*unsynced_, "a"), "not_found");
  EXPECT_EQ(content(*unsynced_, "b"), "a");
  EXPECT_EQ(content(*unsynced_, "c"), "not_found");
}

TEST_F(DiskFaults, ANewFileMayTakeAnOldName) {
  auto old = *run(unsynced_->open("current", Open::kCreateNew));
  ASSERT_TRUE(write(*old, 0, "old").ok());
  ASSERT_TRUE(run(old->sync()).ok());
  ASSERT_TRUE(run(unsynced_->sync_directory("")).ok());
  auto next = *run(unsynced_->open("next", Open::kCreateNew));
  ASSERT_TRUE(write(*next, 0, "new").ok());
  ASSERT_TRUE(run(next->sync()).ok());
  ASSERT_TRUE(run(unsynced_->rename("next", "current")).ok());
  EXPECT_EQ(content(*unsynced_, "current"), "new");
  EXPECT_EQ(content(memory_, "current"), "old");
  ASSERT_TRUE(run(unsynced_->sync_directory("")).ok());
  kill();
  EXPECT_EQ(content(*unsynced_, "current"), "new");
  EXPECT_EQ(run(unsynced_->list(""))->size(), 1u);
}

TEST_F(DiskFaults, ChainsOfRenamesArriveInOrder) {
  for (const char* name : {"a", "b"}) {
    auto file = *run(unsynced_->open(name, Open::kCreateNew));
    ASSERT_TRUE(write(*file, 0, name).ok());
    ASSERT_TRUE(run(file->sync()).ok());
  }
  ASSERT_TRUE(run(unsynced_->sync_directory("")).ok());
  ASSERT_TRUE(run(unsynced_->rename("b", "c")).ok());
  ASSERT_TRUE(run(unsynced_->rename("a", "b")).ok());
  ASSERT_TRUE(run(unsynced_->sync_directory("")).ok());
  kill();
  EXPECT_EQ(content(*unsynced_, "a"), "not_found");
  EXPECT_EQ(content(*unsynced_, "b"), "a");
  EXPECT_EQ(content(*unsynced_, "c"), "b");
}

TEST_F(DiskFaults, OverlappingUnsyncedWritesReadAsWritten) {
  auto file = *run(unsynced_->open("a", Open::kCreateNew));
  SeededRandom random(5);
  std::string expected(1'000, '\0');
  ASSERT_TRUE(write(*file, 0, expected).ok());
  for (int n = 0; n < 500; ++n) {
    const std::size_t offset = random.below(1'000);
    const std::string text(1 + random.below(std::min<std::uint64_t>(1'000 - offset, 99)),
                           static_cast<char>('a' + n % 26));
    expected.replace(offset, text.size(), text);
    ASSERT_TRUE(write(*file, offset, text).ok());
    if (n % 50 == 7) {
      ASSERT_TRUE(run(file->sync()).ok());
    }
    ASSERT_EQ(content(*unsynced_, "a"), expected);
  }
}

}  // namespace
}  // namespace tombolo::testing
