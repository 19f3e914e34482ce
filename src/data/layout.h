// How a segment file is laid out (docs/formats/segments.md). Pure functions; constants here never change.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace tombolo::data {

inline constexpr std::uint64_t kBlockBytes = 4'096;  // runs start and end on this boundary
inline constexpr std::uint64_t kGranuleBytes = 16 * 1024;
inline constexpr std::uint64_t kRunBytesMax = 8 * 1024 * 1024;
inline constexpr std::uint64_t kRunHeaderBytes = 64;
inline constexpr std::uint64_t kSegmentHeaderBytes = kBlockBytes;
/// Runs that may become longer have their data, not their header, on the block boundary.
inline constexpr std::uint64_t kPackedRunBytesMax = 64 * 1024;
inline constexpr std::string_view kSegmentsDirectory = "segments";
/// Behind the name of a segment file that is being written anew. Removed by the next start.
inline constexpr std::string_view kUnfinishedSuffix = ".tmp";

struct SegmentHeader {
  SegmentId segment;
  std::uint64_t incarnation = 0;  // random; seeds the CRC of the run headers
  std::uint64_t cell = 0;
};

struct RunHeader {
  TenantId tenant;
  GenId gen;
  std::uint64_t gen_offset = 0;  // of the run's first byte in its gen
  std::uint64_t length = 0;      // 1 … kRunBytesMax, without this header
  std::uint64_t crc64 = 0;       // of the run's bytes
};

using SegmentHeaderBytes = std::array<std::byte, kSegmentHeaderBytes>;
using RunHeaderBytes = std::array<std::byte, kRunHeaderBytes>;

/// "segments/00000000000000ff.seg"
std::string segment_path(SegmentId segment);
/// The segment that a file of kSegmentsDirectory holds; kInvalid when the name is not one of segment_path.
Result<SegmentId> segment_of_name(std::string_view name);

SegmentHeaderBytes encode(const SegmentHeader& header);
/// kCorrupt when the bytes are not a whole, verified header; kUnsupported for a version that is not ours.
Result<SegmentHeader> decode_segment_header(BytesView bytes);

RunHeaderBytes encode(const RunHeader& header, std::uint64_t incarnation);
/// kCorrupt when the bytes are not a header written in this incarnation of the segment.
Result<RunHeader> decode_run_header(BytesView bytes, std::uint64_t incarnation);

constexpr std::uint64_t align_up(std::uint64_t value) {
  return (value + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}
/// Where the header of a run lies whose place starts at `start` (a block boundary) and that may hold `length_max`
/// bytes.
constexpr std::uint64_t header_offset(std::uint64_t start, std::uint64_t length_max) {
  return length_max <= kPackedRunBytesMax ? start : start + kBlockBytes - kRunHeaderBytes;
}
/// Where the data of the run lies whose header is at `offset`.
constexpr std::uint64_t data_offset(std::uint64_t offset) {
  return offset + kRunHeaderBytes;
}
/// Bytes of the file that a run occupies: header, data, and the padding around them.
constexpr std::uint64_t occupied_bytes(std::uint64_t offset, std::uint64_t length) {
  return align_up(data_offset(offset) + length) - offset / kBlockBytes * kBlockBytes;
}
constexpr std::uint64_t granules_in(std::uint64_t length) {
  return (length + kGranuleBytes - 1) / kGranuleBytes;
}

}  // namespace tombolo::data
