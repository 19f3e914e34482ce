#include "data/run_reader.h"

#include "data/data_rig_test.h"

namespace tombolo::data {
namespace {

using testing::DiskCall;

class RunReaderTest : public DataRig {};

TEST_F(RunReaderTest, AnyRangeReadsBack) {
  const Bytes bytes = pattern(900'001, 1);
  const auto sealed = write(bytes);
  SeededRandom random(7);
  for (int n = 0; n < 200; ++n) {
    const std::uint64_t offset = random.below(bytes.size());
    const std::uint64_t length = 1 + random.below(std::min<std::uint64_t>(bytes.size() - offset, n % 2 ? 400'000 : 40));
    const auto admission = n % 3 == 0 ? Admission::kBypass : Admission::kAdmit;
    const auto got = read(sealed->place, {.offset = offset, .length = length, .admission = admission});
    ASSERT_TRUE(got.ok()) << to_string(got.error());
    ASSERT_EQ(*got, to_bytes(BytesView(bytes).subspan(offset, length))) << offset << " " << length;
  }
}

TEST_F(RunReaderTest, AFlippedBitInAnyGranuleIsFoundAndNamed) {
  const Bytes bytes = pattern(100'000, 1);  // seven granules
  const auto sealed = write(bytes);
  for (std::uint64_t granule = 0; granule < granules_in(bytes.size()); ++granule) {
    const std::uint64_t at = std::min<std::uint64_t>(granule * kGranuleBytes + 1'234 + granule, bytes.size() - 1);
    flip_bit(sealed->place.segment, data_offset(sealed->place.offset) + at, granule % 8);
    cache_ = std::make_unique<BlockCache>();
    const auto got = run(read_range(to_read(sealed->place, kTenant, kGen), {.offset = 0, .length = bytes.size()}));
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code, Code::kCorrupt);
    EXPECT_NE(got.error().message.find("granule " + std::to_string(granule) + " of gen 42"), std::string::npos)
        << got.error().message;
    // The others can still be had.
    for (std::uint64_t other = 0; other < granules_in(bytes.size()); ++other) {
      const RunRange one{.offset = other * kGranuleBytes, .length = 1, .admission = Admission::kBypass};
      EXPECT_EQ(read(sealed->place, one).ok(), other != granule);
    }
    flip_bit(sealed->place.segment, data_offset(sealed->place.offset) + at, granule % 8);
  }
}

TEST_F(RunReaderTest, ManyRandomFlippedBitsAreAllFound) {
  const Bytes bytes = pattern(40'000, 1);
  const auto sealed = write(bytes);
  SeededRandom random(3);
  for (int n = 0; n < 500; ++n) {
    const std::uint64_t at = random.below(bytes.size());
    const auto bit = static_cast<unsigned>(random.below(8));
    flip_bit(sealed->place.segment, data_offset(sealed->place.offset) + at, bit);
    const RunRange all{.offset = 0, .length = bytes.size(), .admission = Admission::kBypass};
    ASSERT_EQ(read(sealed->place, all).error().code, Code::kCorrupt) << at << " bit " << bit;
    flip_bit(sealed->place.segment, data_offset(sealed->place.offset) + at, bit);
  }
}

TEST_F(RunReaderTest, BytesOfAnotherRunAreNotBelieved) {
  const auto one = write(pattern(50'000, 1));
  const auto two = write(pattern(50'000, 2));
  RunPlace wrong = one->place;
  wrong.offset = two->place.offset;
  EXPECT_EQ(read(wrong).error().code, Code::kCorrupt);
}

TEST_F(RunReaderTest, AMissingOrCutFileIsCorruptionThatNamesTheSegment) {
  auto sealed = write_and_sync(pattern(50'000, 1));
  commit_place(sealed->place, 1);
  const RunPlace place = sealed->place;
  sealed = Error{};
  const auto cut = place.offset + 20'000;
  ASSERT_TRUE(run(file(place.segment)->truncate(cut)).ok());
  restart();
  auto got = read(place);
  EXPECT_EQ(got.error().code, Code::kCorrupt);
  EXPECT_NE(got.error().message.find("segment 0000000000000001"), std::string::npos);
  ASSERT_TRUE(run(disk_.remove(segment_path(place.segment))).ok());
  restart();
  got = read(place);
  EXPECT_EQ(got.error().code, Code::kCorrupt);
  EXPECT_NE(got.error().message.find("missing"), std::string::npos);
}

TEST_F(RunReaderTest, AnotherSegmentsFileIsNotBelieved) {
  auto one = write_and_sync(pattern(50'000, 1));
  commit_place(one->place, 1);
  ASSERT_TRUE(run(store_->rotate()).ok());
  auto two = write_and_sync(pattern(50'000, 1));
  commit_place(two->place, 1);
  const RunPlace place = one->place;
  const SegmentId other = two->place.segment;
  one = Error{};
  two = Error{};
  ASSERT_TRUE(run(disk_.rename(segment_path(other), segment_path(place.segment))).ok());
  restart();
  EXPECT_EQ(read(place).error().code, Code::kCorrupt);
}

TEST_F(RunReaderTest, ARowThatContradictsItselfIsCorrupt) {
  const auto sealed = write(pattern(50'000, 1));
  RunPlace wrong = sealed->place;
  wrong.granule_crcs.pop_back();
  EXPECT_EQ(read(wrong).error().code, Code::kCorrupt);
}

TEST_F(RunReaderTest, AReleasedSegmentIsNotFound) {
  auto sealed = write_and_sync(pattern(50'000, 1));
  const RunPlace place = sealed->place;
  sealed = Error{};
  ASSERT_TRUE(run(store_->rotate()).ok());
  settle();
  ASSERT_TRUE(run(store_->release(place.segment)).ok());
  EXPECT_EQ(read(place).error().code, Code::kNotFound);
}

TEST_F(RunReaderTest, WhatTheDeviceFailsToReadIsADamagedCopyThatIsNamed) {
  const auto sealed = write(pattern(50'000, 1));
  disk_.fail({.call = DiskCall::kRead});
  const auto got = read(sealed->place);
  EXPECT_EQ(got.error().code, Code::kCorrupt);
  EXPECT_NE(got.error().message.find("segment 0000000000000001 cannot be read at"), std::string::npos)
      << got.error().message;
  EXPECT_EQ(*read(sealed->place), pattern(50'000, 1));
}

TEST_F(RunReaderTest, AFullQueueIsNoVerdictOnTheBytes) {
  const auto sealed = write(pattern(50'000, 1));
  disk_.fail({.call = DiskCall::kRead, .code = Code::kBusy});
  EXPECT_EQ(read(sealed->place).error().code, Code::kBusy);
}

TEST_F(RunReaderTest, AdmittedGranulesAreServedFromMemory) {
  const auto sealed = write(pattern(200'000, 1));
  const RunRange range{.offset = 20'000, .length = 30'000};
  const auto before = disk_.count(DiskCall::kRead);
  const auto first = read(sealed->place, range);
  EXPECT_EQ(disk_.count(DiskCall::kRead), before + 1);
  EXPECT_EQ(*read(sealed->place, range), *first);
  EXPECT_EQ(disk_.count(DiskCall::kRead), before + 1);
  EXPECT_EQ(read(sealed->place)->size(), 200'000u);  // granules 1 to 3 are there: two stretches remain
  EXPECT_EQ(disk_.count(DiskCall::kRead), before + 3);
}

TEST_F(RunReaderTest, BypassLeavesTheCacheAlone) {
  const auto sealed = write(pattern(200'000, 1));
  ASSERT_TRUE(read(sealed->place, {.offset = 0, .length = 200'000, .admission = Admission::kBypass}).ok());
  EXPECT_EQ(cache_->stats().granules, 0u);
}

TEST_F(RunReaderTest, ARangeReadsOnlyItsGranules) {
  const auto sealed = write(pattern(2'000'000, 1), 0, 256 * 1024);
  const auto before = cache_->stats().granules;
  ASSERT_TRUE(read(sealed->place, {.offset = 100'000, .length = 32 * 1024}).ok());
  EXPECT_LE(cache_->stats().granules - before, 3u);
}

TEST_F(RunReaderTest, MayBeDroppedInTheMiddle) {
  const auto sealed = write(pattern(1'000'000, 1));
  {
    auto reader =
        *RunReader::open(*store_, *cache_, to_read(sealed->place, kTenant, kGen), {.offset = 0, .length = 1'000'000});
    EXPECT_GT(run(reader->next())->size(), 0u);
  }
  stop();  // waits for the step that was read ahead
}

}  // namespace
}  // namespace tombolo::data
