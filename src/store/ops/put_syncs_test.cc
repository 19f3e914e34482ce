// What an acknowledgement waits for (docs/durability.md, "How a write becomes durable").
#include "disk/memory/memory_disk.h"
#include "store/process_test.h"
#include "testing/faulty_disk.h"

namespace tombolo::store {
namespace {

using tombolo::testing::DiskCall;

TEST(PutSyncs, OfASmallObjectIsTheLogsAloneOfALargerOneItsBytesToo) {
  disk::MemoryDisk memory;
  tombolo::testing::FaultyDisk disk(memory);
  testing::Process process(disk, 1);
  ASSERT_TRUE(process.run(process.store->create_container(testing::Rig::box(), {})).ok());
  // The first ones also lease stamps and ids and open a segment.
  for (const std::size_t size : {4'096u, 4'097u}) ASSERT_TRUE(process.put("first", Bytes(size)).ok());
  for (const auto& [size, syncs] : std::map<std::size_t, std::uint64_t>{{0, 1}, {4'096, 1}, {4'097, 2}, {300'000, 2}}) {
    const std::uint64_t before = disk.count(DiskCall::kSync), names = disk.count(DiskCall::kSyncDirectory);
    ASSERT_TRUE(process.put("n" + std::to_string(size), Bytes(size)).ok());
    EXPECT_EQ(disk.count(DiskCall::kSync) - before, syncs) << size;
    EXPECT_EQ(disk.count(DiskCall::kSyncDirectory), names) << size;
  }
}

}  // namespace
}  // namespace tombolo::store
