#include "data/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/crc64.h"
#include "base/endian.h"
#include "data/segment_rows.h"

namespace tombolo::data {
namespace {

constexpr std::uint64_t kIncarnation = 0x1122334455667788;
constexpr RunHeader kHeader{.tenant = {1}, .gen = {2}, .gen_offset = 3, .length = 4'000, .crc64 = 5};

TEST(SegmentPath, IsTheIdInHex) {
  EXPECT_EQ(segment_path(SegmentId{255}), "segments/00000000000000ff.seg");
  EXPECT_EQ(*segment_of_name("00000000000000ff.seg"), SegmentId{255});
}

TEST(SegmentPath, OtherNamesAreRefused) {
  for (const char* name : {"", "ff.seg", "00000000000000FF.seg", "00000000000000ff", "0000000000000000.seg",
                           "00000000000000ff.seg.tmp", "g0000000000000ff.seg"}) {
    EXPECT_EQ(segment_of_name(name).error().code, Code::kInvalid) << name;
  }
}

TEST(SegmentHeader, AnyFlippedBitIsDetected) {
  const auto good = encode(SegmentHeader{.segment = {9}, .incarnation = kIncarnation, .cell = 3});
  const auto decoded = decode_segment_header(good);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->segment, SegmentId{9});
  EXPECT_EQ(decoded->incarnation, kIncarnation);
  EXPECT_EQ(decoded->cell, 3u);
  for (std::size_t bit = 0; bit < good.size() * 8; bit += 7) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    EXPECT_EQ(decode_segment_header(bad).error().code, Code::kCorrupt) << bit;
  }
}

TEST(SegmentHeader, WithoutAnIdOrIncarnationIsRefused) {
  for (const std::size_t at : {16u, 24u}) {
    auto header = encode(SegmentHeader{.segment = {9}, .incarnation = kIncarnation, .cell = 3});
    std::fill_n(header.begin() + static_cast<std::ptrdiff_t>(at), 8, std::byte{});
    store_le(header.data() + header.size() - 8, crc64(BytesView(header).first(header.size() - 8)));
    EXPECT_EQ(decode_segment_header(header).error().code, Code::kCorrupt) << at;
  }
}

TEST(RunHeader, AnyFlippedBitIsDetected) {
  const auto good = encode(kHeader, kIncarnation);
  ASSERT_TRUE(decode_run_header(good, kIncarnation).ok());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    EXPECT_EQ(decode_run_header(bad, kIncarnation).error().code, Code::kCorrupt) << bit;
  }
}

TEST(RunHeader, OfAnotherIncarnationIsNotBelieved) {
  EXPECT_EQ(decode_run_header(encode(kHeader, kIncarnation), kIncarnation + 1).error().code, Code::kCorrupt);
}

TEST(Layout, LargeRunsHaveTheirDataOnABlockBoundary) {
  EXPECT_EQ(header_offset(8'192, 5'000), 8'192u);
  EXPECT_EQ(occupied_bytes(8'192, 5'000), 2 * kBlockBytes);
  const std::uint64_t offset = header_offset(8'192, 100'000);
  EXPECT_EQ(data_offset(offset), 8'192 + kBlockBytes);
  EXPECT_EQ(occupied_bytes(offset, 100'000), kBlockBytes + align_up(100'000));
  EXPECT_EQ(occupied_bytes(offset, 1), 2 * kBlockBytes);
}

TEST(SegmentRow, RoundTripsAndRefusesDamage) {
  const SegmentRow row{.state = SegmentState::kFreeing, .incarnation = 77, .file_bytes = 88};
  const auto decoded = decode_segment_row(encode(row));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->state, row.state);
  EXPECT_EQ(decoded->incarnation, 77u);
  EXPECT_EQ(decoded->file_bytes, 88u);
  EXPECT_EQ(decode_segment_row(encode(row).substr(1)).error().code, Code::kCorrupt);
  EXPECT_EQ(decode_segment_row("\x03" + encode(row).substr(1)).error().code, Code::kCorrupt);
}

/// One small run and one whose data is on a block boundary, as docs/formats/segments.md says.
Bytes golden_image() {
  Bytes file(kSegmentHeaderBytes);
  const auto header = encode(SegmentHeader{.segment = {0x1f}, .incarnation = kIncarnation, .cell = 0});
  std::copy(header.begin(), header.end(), file.begin());
  const auto place = [&file](std::uint64_t length_max, std::string_view text, RunHeader run) {
    const std::uint64_t offset = header_offset(file.size(), length_max);
    run.length = text.size();
    run.crc64 = crc64(as_bytes(text));
    file.resize(file.size() + occupied_bytes(offset, run.length));
    const auto encoded = encode(run, kIncarnation);
    std::copy(encoded.begin(), encoded.end(), file.begin() + static_cast<std::ptrdiff_t>(offset));
    const BytesView bytes = as_bytes(text);
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(data_offset(offset)));
  };
  place(100, "a run of at most 64 KiB", {.tenant = {1}, .gen = {2}, .gen_offset = 0});
  place(kRunBytesMax, "a run that was begun as a longer one", {.tenant = {1}, .gen = {3}, .gen_offset = 8'388'608});
  return file;
}

TEST(Layout, MatchesTheGoldenFile) {
  const auto path = std::filesystem::path(DATA_GOLDEN_DIRECTORY) / "segment_v1.seg";
  std::ifstream in(path, std::ios::binary);
  const std::string golden((std::istreambuf_iterator<char>(in)), {});
  ASSERT_FALSE(golden.empty()) << path;
  EXPECT_TRUE(as_text(golden_image()) == golden) << "the format on disk has changed";
}

}  // namespace
}  // namespace tombolo::data
