#include "data/scan.h"

#include "data/data_rig_test.h"

namespace tombolo::data {
namespace {

/// A file that is cut right after somebody has asked how long it is.
class CutFile final : public disk::File {
 public:
  CutFile(std::unique_ptr<disk::File> inner, std::uint64_t size) : inner_(std::move(inner)), size_(size) {}
  Task<std::uint64_t> size(CallSite site) override {
    CO_TRY_ASSIGN(const std::uint64_t before, inner_->size(site));
    CO_TRY(inner_->truncate(size_, site));
    co_return before;
  }
  Task<void> read(std::uint64_t offset, MutableBytes out, CallSite site) override {
    return inner_->read(offset, out, site);
  }
  Task<void> write(std::uint64_t offset, BytesView bytes, CallSite site) override {
    return inner_->write(offset, bytes, site);
  }
  Task<void> sync(CallSite site) override { return inner_->sync(site); }
  Task<void> truncate(std::uint64_t size, CallSite site) override { return inner_->truncate(size, site); }
  Task<void> reserve(std::uint64_t size, CallSite site) override { return inner_->reserve(size, site); }

 private:
  const std::unique_ptr<disk::File> inner_;
  const std::uint64_t size_;
};

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

TEST_F(ScanTest, ASectorThatCannotBeReadHidesWhatLiesInItOnly) {
  disk_.lose(segment_path(SegmentId{1}), sealed_[2].place.offset, 512);
  disk_.lose(segment_path(SegmentId{1}), data_offset(sealed_[4].place.offset) + 200'000, 512);
  const auto found = scan();
  ASSERT_TRUE(found.ok()) << to_string(found.error());
  ASSERT_EQ(found->runs.size(), sealed_.size() - 1);
  EXPECT_GE(found->unreadable, 1u);
  for (const FoundRun& run : found->runs) {
    EXPECT_NE(run.offset, sealed_[2].place.offset);
    EXPECT_EQ(run.verified, run.offset != sealed_[4].place.offset);
  }
}

TEST_F(ScanTest, ASectorThatCannotBeReadIsTriedAFewTimesOnly) {
  for (std::uint64_t n = 0; n < 60; ++n)
    ASSERT_TRUE(run(write_run(pattern(3'000, n), 3'000, 3'000, GenId{1'000 + n})).ok());
  const auto pin = store_->pin(SegmentId{1});
  const auto count = [this] { return disk_.count(testing::DiskCall::kRead); };
  const auto scan_headers = [this, &pin] { return run(store_->scan(*pin, ScanDepth::kHeaders)); };
  const std::uint64_t before = count();
  const auto sound = scan_headers();
  const std::uint64_t usual = count() - before;
  disk_.lose(segment_path(SegmentId{1}), sound->runs[40].offset + 1'024, 512);  // bytes of a run: its header is there
  const auto found = scan_headers();
  ASSERT_TRUE(found.ok()) << to_string(found.error());
  EXPECT_EQ(found->runs.size(), sound->runs.size());
  EXPECT_EQ(found->unreadable, 0u);
  // From the block before it on one read a block, and four that fail; each long read would have come upon it again.
  EXPECT_LE(count() - before - usual, usual + kStreamStep / kBlockBytes + 8);
}

TEST_F(ScanTest, AStopWaitsForNoBadSectors) {
  disk_.lose(segment_path(SegmentId{1}), kSegmentHeaderBytes, *run(file(SegmentId{1})->size()));
  const auto opened = file(SegmentId{1});
  for (const int tries : {1, 5}) {
    int asked = 0;
    const StopAsked stop = [&asked, tries] { return ++asked > tries; };
    const std::uint64_t before = disk_.count(testing::DiskCall::kRead);
    EXPECT_EQ(run(scan_segment(*opened, ScanDepth::kHeaders, stop)).error().code, Code::kCancelled);
    EXPECT_LE(disk_.count(testing::DiskCall::kRead) - before, static_cast<std::uint64_t>(tries) + 1);
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

TEST_F(ScanTest, AFileThatIsSealedMeanwhileIsScannedToItsNewEnd) {
  auto opened = file(SegmentId{1});
  const auto size = *run(opened->size());
  ASSERT_TRUE(run(opened->truncate(size + 2 * kStreamStep + 77)).ok());
  CutFile cut(std::move(opened), size);
  for (const ScanDepth depth : {ScanDepth::kHeaders, ScanDepth::kData}) {
    const auto found = run(scan_segment(cut, depth));
    ASSERT_TRUE(found.ok()) << to_string(found.error());
    EXPECT_EQ(found->runs.size(), sealed_.size());
    EXPECT_EQ(found->file_bytes, size);
    ASSERT_TRUE(run(cut.truncate(size + 100 * kBlockBytes, CallSite::here())).ok());
  }
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
