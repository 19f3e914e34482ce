#include "data/scan.h"

#include "data/data_rig_test.h"

namespace tombolo::data {
namespace {

class ScanTest : public DataRig {
 protected:
  void SetUp() override {
    for (const std::size_t length : {10u, 5'000u, 100'000u, 70'000u, 300'000u, 1u}) {
      sealed_.push_back(*run(write_run(pattern(length, length), length, 50'000, GenId{length})));
    }
  }
  Result<SegmentScan> scan() {
    auto opened = file(SegmentId{1});
    return run(scan_segment(*opened));
  }
  std::vector<SealedRun> sealed_;
};

TEST_F(ScanTest, FindsEveryRunWithoutARow) {
  const auto found = scan();
  ASSERT_TRUE(found.ok()) << to_string(found.error());
  EXPECT_EQ(found->header.segment, SegmentId{1});
  ASSERT_EQ(found->runs.size(), sealed_.size());
  for (std::size_t n = 0; n < sealed_.size(); ++n) {
    EXPECT_EQ(found->runs[n].offset, sealed_[n].place.offset);
    EXPECT_EQ(found->runs[n].header.gen, GenId{sealed_[n].place.length});
    EXPECT_EQ(found->runs[n].header.tenant, kTenant);
    EXPECT_EQ(found->runs[n].header.crc64, sealed_[n].place.crc64);
    EXPECT_TRUE(found->runs[n].verified);
  }
}

TEST_F(ScanTest, OfHeadersAloneFindsTheSameRuns) {
  const auto pin = store_->pin(SegmentId{1});
  const auto reads = disk_.count(testing::DiskCall::kRead);
  const auto found = run(store_->scan(*pin, ScanDepth::kHeaders));
  ASSERT_EQ(found->runs.size(), sealed_.size());
  for (std::size_t n = 0; n < sealed_.size(); ++n) {
    EXPECT_EQ(found->runs[n].offset, sealed_[n].place.offset);
    EXPECT_FALSE(found->runs[n].verified);
  }
  EXPECT_LE(disk_.count(testing::DiskCall::kRead), reads + 1 + sealed_.size());
}

TEST_F(ScanTest, ABrokenHeaderHidesItsOwnRunOnly) {
  for (const auto& sealed : sealed_) {
    flip_bit(SegmentId{1}, sealed.place.offset + 20, 3);
    const auto found = scan();
    ASSERT_EQ(found->runs.size(), sealed_.size() - 1);
    for (const auto& run : found->runs) EXPECT_NE(run.offset, sealed.place.offset);
    flip_bit(SegmentId{1}, sealed.place.offset + 20, 3);
  }
}

TEST_F(ScanTest, DamagedDataIsFoundAndDoesNotVerify) {
  flip_bit(SegmentId{1}, data_offset(sealed_[2].place.offset) + 50'000, 0);
  const auto found = scan();
  ASSERT_EQ(found->runs.size(), sealed_.size());
  for (std::size_t n = 0; n < found->runs.size(); ++n) EXPECT_EQ(found->runs[n].verified, n != 2);
}

TEST_F(ScanTest, ACutFileLosesOnlyItsEnd) {
  ASSERT_TRUE(run(file(SegmentId{1})->truncate(data_offset(sealed_[4].place.offset) + 1'000)).ok());
  const auto found = scan();
  ASSERT_EQ(found->runs.size(), 5u);
  EXPECT_TRUE(found->runs[3].verified);
  EXPECT_FALSE(found->runs[4].verified);
}

TEST_F(ScanTest, ARunWithoutItsHeaderIsNotARun) {
  {
    const BeginRun begin{.tenant = kTenant, .gen = {77}, .length_max = 400'000};
    auto writer = *run(store_->begin_run(begin));
    const Bytes bytes = pattern(300'000, 9);
    ASSERT_TRUE(run(writer->append(Block(to_bytes(bytes)))).ok());
  }
  EXPECT_EQ(scan()->runs.size(), sealed_.size());
}

TEST_F(ScanTest, ABrokenSegmentHeaderIsCorrupt) {
  flip_bit(SegmentId{1}, 100, 1);
  EXPECT_EQ(scan().error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace tombolo::data
