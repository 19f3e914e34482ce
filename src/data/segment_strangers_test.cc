// Files that have the names of segments, and that the index does not know.
#include "base/endian.h"
#include "data/data_rig_test.h"

namespace tombolo::data {
namespace {

class SegmentStrangers : public DataRig {};

TEST_F(SegmentStrangers, AnIndexOlderThanTheSegmentsTakesNoneOfTheirNames) {
  ASSERT_TRUE(run(disk_.open(segment_path(SegmentId{5}), disk::Open::kCreateNew)).ok());
  restart();
  const auto sealed = write_and_sync(pattern(1'000, 1));
  ASSERT_TRUE(sealed.ok()) << to_string(sealed.error());
  EXPECT_EQ(sealed->place.segment, SegmentId{6});
  ASSERT_TRUE(run(store_->reap()).ok());
  EXPECT_EQ(files(), 2u);
}

TEST_F(SegmentStrangers, AFileInTheWayOfANewOneStays) {
  ASSERT_TRUE(run(disk_.open(segment_path(SegmentId{1}), disk::Open::kCreateNew)).ok());
  EXPECT_EQ(write_and_sync(pattern(1'000, 1)).error().code, Code::kUnavailable);
  ASSERT_TRUE(run(store_->reap()).ok());
  EXPECT_EQ(files(), 1u);
  EXPECT_TRUE(rows().empty());
  const auto sealed = write_and_sync(pattern(1'000, 1));
  ASSERT_TRUE(sealed.ok()) << to_string(sealed.error());
  EXPECT_EQ(sealed->place.segment, SegmentId{2});
}

/// A process died while it made a segment: the row is there, and whatever has its name.
class SegmentLeftOver : public DataRig {
 protected:
  static constexpr SegmentId kTaken{9};
  static constexpr std::uint64_t kIncarnation = 77;

  static SegmentHeaderBytes header(SegmentId segment, std::uint64_t incarnation) {
    return encode(SegmentHeader{.segment = segment, .incarnation = incarnation});
  }
  void leave(BytesView contents) {
    auto body = [](kv::Transaction& txn) -> Task<void> {
      txn.put(segment_key(kTaken), encode(SegmentRow{.state = SegmentState::kOpen, .incarnation = kIncarnation}));
      co_return Result<void>{};
    };
    EXPECT_TRUE(run(kv::run(engine_, random_, body)).ok());
    {
      auto there = *run(disk_.open(segment_path(kTaken), disk::Open::kCreateNew));
      EXPECT_TRUE(run(there->write(0, contents)).ok());
    }
  }
  /// Whether the next start leaves it.
  bool stays(BytesView contents) {
    leave(contents);
    restart();
    EXPECT_TRUE(run(store_->reap()).ok());
    EXPECT_TRUE(rows().empty());
    const bool stayed = files() == 1;
    if (stayed) {
      EXPECT_TRUE(run(disk_.remove(segment_path(kTaken))).ok());
    }
    return stayed;
  }
};

TEST_F(SegmentLeftOver, GoesWhenItIsWhatWasBeingMade) {
  EXPECT_FALSE(stays({}));
  EXPECT_FALSE(stays(BytesView(header(kTaken, kIncarnation)).first(1'000)));
  EXPECT_FALSE(stays(header(kTaken, kIncarnation)));
  EXPECT_FALSE(stays(pattern(kSegmentHeaderBytes, 1))) << "a header that lost power";
  Bytes with_runs = to_bytes(header(kTaken, kIncarnation));
  with_runs.resize(100'000);
  EXPECT_FALSE(stays(with_runs));
}

TEST_F(SegmentLeftOver, StaysWhenItMayBeSomebodyElses) {
  EXPECT_TRUE(stays(header(kTaken, kIncarnation + 1)));
  EXPECT_TRUE(stays(header(SegmentId{1}, kIncarnation)));
  EXPECT_TRUE(stays(pattern(kSegmentHeaderBytes + 1, 1))) << "something lies behind what does not verify";
  SegmentHeaderBytes later = header(kTaken, kIncarnation);
  later[8] = std::byte{2};  // the format's version
  const std::size_t crc_at = later.size() - 8;
  store_le(later.data() + crc_at, crc64(BytesView(later).first(crc_at)));
  EXPECT_TRUE(stays(later));
}

TEST_F(SegmentLeftOver, WaitsForAStartThatCanReadIt) {
  leave(header(kTaken, kIncarnation));
  disk_.lose(segment_path(kTaken), 0, 512);
  for (int starts = 0; starts < 2; ++starts) {
    restart();
    ASSERT_TRUE(run(store_->reap()).ok());
    EXPECT_EQ(files(), 1u);
    EXPECT_EQ(rows().size(), 1u);
    EXPECT_TRUE(store_->uses().empty()) << "nobody releases it meanwhile";
  }
  disk_.heal();
  restart();
  ASSERT_TRUE(run(store_->reap()).ok());
  EXPECT_EQ(files(), 0u);
  EXPECT_TRUE(rows().empty());
}

TEST_F(SegmentStrangers, AFileWithTheLastOfAllNamesIsNoLimit) {
  ASSERT_TRUE(run(disk_.open(segment_path(SegmentId{~std::uint64_t{0}}), disk::Open::kCreateNew)).ok());
  restart();
  const auto sealed = write_and_sync(pattern(1'000, 1));
  ASSERT_TRUE(sealed.ok()) << to_string(sealed.error());
  EXPECT_EQ(sealed->place.segment, SegmentId{1});
}

}  // namespace
}  // namespace tombolo::data
