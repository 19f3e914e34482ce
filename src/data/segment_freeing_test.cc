// When a segment's file goes, and who holds it back.
#include "data/data_rig_test.h"

namespace tombolo::data {
namespace {

using testing::DiskCall;

class SegmentFreeingTest : public DataRig {};

TEST_F(SegmentFreeingTest, OnlyADeadSegmentIsReleased) {
  auto sealed = write_and_sync(pattern(10'000, 1));
  const SegmentId segment = sealed->place.segment;
  EXPECT_EQ(run(store_->release(segment)).error().code, Code::kBusy);  // open
  ASSERT_TRUE(run(store_->rotate()).ok());
  settle();
  EXPECT_EQ(run(store_->release(segment)).error().code, Code::kBusy);  // its run waits for its commit
  EXPECT_FALSE(store_->compactable(segment));
  const RunPlace place = sealed->place;
  commit_place(place, 1);
  sealed = Error{};
  EXPECT_TRUE(store_->compactable(segment));
  EXPECT_EQ(run(store_->release(segment)).error().code, Code::kConditionFailed);  // live
  commit_place(place, -1);
  EXPECT_TRUE(run(store_->release(segment)).ok());
  EXPECT_EQ(run(store_->release(segment)).error().code, Code::kNotFound);
  EXPECT_EQ(run(store_->release(SegmentId{99})).error().code, Code::kNotFound);
}

TEST_F(SegmentFreeingTest, PinsHoldTheFileBack) {
  auto sealed = write_and_sync(pattern(10'000, 1));
  const RunPlace place = sealed->place;
  sealed = Error{};
  ASSERT_TRUE(run(store_->rotate()).ok());
  auto pin = store_->pin(place.segment);
  ASSERT_TRUE(run(store_->release(place.segment)).ok());
  EXPECT_EQ(store_->pin(place.segment).error().code, Code::kNotFound);  // no new ones
  EXPECT_EQ(run(store_->reap())->waiting, 1u);
  EXPECT_EQ(files(), 1u);
  Bytes out(100);
  EXPECT_TRUE(run(store_->read(*pin, data_offset(place.offset), out)).ok());
  EXPECT_EQ(out, to_bytes(BytesView(pattern(10'000, 1)).first(100)));
  pin = Error{};
  EXPECT_EQ(run(store_->reap())->files, 1u);
  EXPECT_EQ(files(), 0u);
}

TEST_F(SegmentFreeingTest, TheLogsMarkHoldsTheFileBack) {
  auto sealed = write_and_sync(pattern(10'000, 1));
  const SegmentId segment = sealed->place.segment;
  sealed = Error{};
  ASSERT_TRUE(run(store_->rotate()).ok());
  settle();
  engine_.held = engine_.committed();
  ASSERT_TRUE(run(store_->release(segment)).ok());
  EXPECT_EQ(run(store_->reap())->waiting, 1u);
  EXPECT_EQ(files(), 1u);
  engine_.held.reset();
  const auto report = run(store_->reap());
  EXPECT_EQ(report->files, 1u);
  EXPECT_EQ(report->waiting, 0u);
  EXPECT_GT(report->bytes, 10'000u);
  EXPECT_EQ(files(), 0u);
}

TEST_F(SegmentFreeingTest, AFileThatCannotBeRemovedKeepsNoOther) {
  for (std::uint64_t n = 0; n < 3; ++n) {
    auto sealed = write_and_sync(pattern(10'000, n));
    const SegmentId segment = sealed->place.segment;
    sealed = Error{};
    ASSERT_TRUE(run(store_->rotate()).ok());
    settle();
    ASSERT_TRUE(run(store_->release(segment)).ok());
  }
  disk_.fail({.call = DiskCall::kRemove});
  const auto reaped = run(store_->reap());
  ASSERT_TRUE(reaped.ok());
  EXPECT_EQ(reaped->files, 2u);
  EXPECT_EQ(reaped->failed.value_or(Error{}).code, Code::kUnavailable);
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(rows().size(), 1u);
  EXPECT_EQ(run(store_->reap())->files, 1u);
  EXPECT_TRUE(rows().empty());
}

TEST_F(SegmentFreeingTest, FreeingGoesOnAfterACrashAtAnyPoint) {
  for (const DiskCall call : {DiskCall::kRemove, DiskCall::kSyncDirectory}) {
    auto sealed = write_and_sync(pattern(10'000, 1));
    const SegmentId segment = sealed->place.segment;
    sealed = Error{};
    ASSERT_TRUE(run(store_->rotate()).ok());
    settle();
    ASSERT_TRUE(run(store_->release(segment)).ok());
    disk_.fail({.call = call});
    const auto reaped = run(store_->reap());
    EXPECT_TRUE(!reaped.ok() || reaped->failed);
    disk_.heal();
    crash();
    ASSERT_TRUE(run(store_->reap()).ok());
    EXPECT_EQ(files(), 0u);
    EXPECT_TRUE(rows().empty());
  }
}

}  // namespace
}  // namespace tombolo::data
