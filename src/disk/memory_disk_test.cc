// What a crash and a limit leave of the disk in memory.
#include <gtest/gtest.h>

#include "async/run.h"
#include "disk/memory/memory_disk.h"

namespace tombolo::disk {
namespace {

Task<void> write_text(File& file, std::uint64_t offset, std::string text) {
  co_return co_await file.write(offset, as_bytes(text));
}

TEST(MemoryDisk, CrashDropsUnsyncedBytes) {
  MemoryDisk disk;
  auto file = *run_to_end(disk.open("a", Open::kCreateNew));
  ASSERT_TRUE(run_to_end(disk.sync_directory("")).ok());
  ASSERT_TRUE(run_to_end(write_text(*file, 0, "synced")).ok());
  ASSERT_TRUE(run_to_end(file->sync()).ok());
  ASSERT_TRUE(run_to_end(write_text(*file, 0, "UNSYNCED")).ok());
  disk.crash();
  EXPECT_EQ(run_to_end(write_text(*file, 0, "x")).error().code, Code::kUnavailable);
  file = *run_to_end(disk.open("a", Open::kReadWrite));
  EXPECT_EQ(*run_to_end(file->size()), 6u);
  std::string text(6, ' ');
  ASSERT_TRUE(run_to_end(file->read(0, std::as_writable_bytes(std::span(text)))).ok());
  EXPECT_EQ(text, "synced");
}

TEST(MemoryDisk, CrashUndoesUnsyncedNames) {
  MemoryDisk disk;
  for (const char* name : {"kept", "renamed", "removed"}) {
    ASSERT_TRUE(run_to_end(disk.open(name, Open::kCreateNew)).ok());
  }
  ASSERT_TRUE(run_to_end(disk.sync_directory("")).ok());
  ASSERT_TRUE(run_to_end(disk.rename("renamed", "other")).ok());
  ASSERT_TRUE(run_to_end(disk.remove("removed")).ok());
  ASSERT_TRUE(run_to_end(disk.open("new", Open::kCreateNew)).ok());
  ASSERT_TRUE(run_to_end(disk.make_directory("directory")).ok());
  disk.crash();
  const auto entries = *run_to_end(disk.list(""));
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "kept");
  EXPECT_EQ(entries[1].name, "removed");
  EXPECT_EQ(entries[2].name, "renamed");
}

TEST(MemoryDisk, RefusesPastItsLimitAndHeals) {
  MemoryDisk disk;
  disk.set_limit(10);
  auto file = *run_to_end(disk.open("a", Open::kCreateNew));
  ASSERT_TRUE(run_to_end(write_text(*file, 0, "12345678")).ok());
  EXPECT_EQ(run_to_end(write_text(*file, 8, "90ab")).error().code, Code::kNoSpace);
  EXPECT_EQ(*run_to_end(file->size()), 10u);  // a prefix was written
  EXPECT_EQ(run_to_end(file->reserve(11)).error().code, Code::kNoSpace);
  EXPECT_EQ(run_to_end(disk.space())->free_bytes, 0u);
  disk.set_limit(20);
  EXPECT_TRUE(run_to_end(write_text(*file, 8, "90ab")).ok());
  ASSERT_TRUE(run_to_end(disk.remove("a")).ok());
  file.reset();
  EXPECT_EQ(run_to_end(disk.space())->free_bytes, 20u);
}

}  // namespace
}  // namespace tombolo::disk
