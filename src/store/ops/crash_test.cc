// Power loss: what was acknowledged is there after a restart, what was not is not. And a disk that is full.
#include "meta/ops/uploads.h"
#include "store/ops/resolve.h"
#include "store/process_test.h"

namespace tombolo::store {
namespace {

using testing::Process;
using testing::SteppedSource;

Bytes noise(std::uint64_t seed, std::size_t size) {
  SeededRandom random(seed);
  Bytes bytes(size);
  random.fill(bytes);
  return bytes;
}

/// Gives half of its bytes, then the power fails.
class FatalSource final : public ByteSource {
 public:
  FatalSource(disk::MemoryDisk& disk, Bytes bytes) : disk_(disk), inner_(std::move(bytes), 100'000) {}
  Task<Block> next() override {
    if (++calls_ == 3) disk_.crash();
    return inner_.next();
  }

 private:
  disk::MemoryDisk& disk_;
  SteppedSource inner_;
  int calls_ = 0;
};

TEST(Crash, WhateverWasAcknowledgedIsThereAfterPowerLoss) {
  disk::MemoryDisk disk;
  std::map<std::string, Bytes> acked;
  std::uint64_t life = 1;
  {
    Process first(disk, life);
    ASSERT_TRUE(first.run(first.store->create_container(testing::Rig::box(), {})).ok());
    disk.crash();
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{5'000}, std::size_t{300'000},
                                 static_cast<std::size_t>(9 * kMiB)}) {
    Process process(disk, ++life);
    for (const auto& [name, bytes] : acked) {
      const auto got = process.get(name);
      ASSERT_TRUE(got.ok()) << name << ": " << to_string(got.error());
      EXPECT_EQ(*got, bytes) << name;
    }
    const std::string name = "n" + std::to_string(size);
    const Bytes bytes = noise(size + 1, size);
    const auto put = process.put(name, bytes);
    ASSERT_TRUE(put.ok()) << to_string(put.error());
    const Bytes again = noise(size + 2, 20'000);
    ASSERT_TRUE(process.put("overwritten", again).ok());
    disk.crash();
    acked[name] = bytes;
    acked["overwritten"] = again;
  }
}

TEST(FullDisk, ASealIsTakenBackWhereNothingNewIsStored) {
  disk::MemoryDisk disk;
  Process process(disk, 1, 8 * kMiB);
  disk.set_limit(64 * kMiB);
  ASSERT_TRUE(process.run(process.store->create_container(testing::Rig::box(), {})).ok());
  const Bytes block = noise(2, 2'000);
  SteppedSource body(block, 10'000);
  StageBlock stage{.block_id = "b1", .length = block.size(), .body = &body};
  ASSERT_TRUE(process.run(process.store->stage_block(testing::Rig::object("blocks"), stage)).ok());
  const meta::Cell& cell = process.services->cell;
  const auto container = process.run(find_container(cell, testing::Rig::box()));
  ASSERT_TRUE(container.ok());
  const auto seal = process.run(meta::seal_upload(cell, *container, "blocks"));
  ASSERT_TRUE(seal.ok());
  disk.set_limit(disk.space_now().total_bytes - disk.space_now().free_bytes + 4 * kMiB);
  process.clock.advance(std::chrono::seconds(2));  // the log looks once a second
  EXPECT_EQ(process.put("other", block).error().code, Code::kNoSpace);
  const auto unsealed = process.run(meta::unseal_upload(cell, *seal));
  EXPECT_TRUE(unsealed.ok()) << to_string(unsealed.error());
}

TEST(Crash, APutThatThePowerEndedLeavesNothing) {
  disk::MemoryDisk disk;
  const Bytes kept = noise(1, 400'000), block = noise(2, 90'000);
  {
    Process process(disk, 1);
    ASSERT_TRUE(process.run(process.store->create_container(testing::Rig::box(), {})).ok());
    ASSERT_TRUE(process.put("kept", kept).ok());
    SteppedSource body(block, 10'000);
    StageBlock stage;
    stage.block_id = "b1";
    stage.length = block.size();
    stage.body = &body;
    ASSERT_TRUE(process.run(process.store->stage_block(testing::Rig::object("blocks"), stage)).ok());
    const Bytes lost = noise(3, 700'000);
    FatalSource fatal(disk, lost);
    PutObject request;
    request.length = lost.size();
    request.body = &fatal;
    EXPECT_FALSE(process.run(process.store->put_object(testing::Rig::object("kept"), request)).ok());
  }
  Process process(disk, 2);
  EXPECT_EQ(process.got("kept"), kept);
  CommitBlockList commit;
  commit.blocks = {{BlockSource::kUncommitted, "b1"}};
  const auto object = process.run(process.store->commit_block_list(testing::Rig::object("blocks"), commit));
  ASSERT_TRUE(object.ok()) << to_string(object.error());
  EXPECT_EQ(process.got("blocks"), block);
}

}  // namespace
}  // namespace tombolo::store
