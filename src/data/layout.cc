#include "data/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/assert.h"
#include "base/crc64.h"
#include "base/endian.h"

namespace tombolo::data {

namespace {

constexpr std::string_view kSegmentMagic = "TMBLSEG\n";
constexpr std::string_view kRunMagic = "TRUN";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::string_view kNameSuffix = ".seg";
constexpr std::size_t kNameDigits = 16;

// Offsets in the segment header.
constexpr std::size_t kVersionAt = 8, kHeaderBytesAt = 12, kSegmentAt = 16, kIncarnationAt = 24, kCellAt = 32;
constexpr std::size_t kSegmentCrcAt = kSegmentHeaderBytes - 8;
// Offsets in a run header.
constexpr std::size_t kLengthAt = 4, kTenantAt = 8, kGenAt = 16, kGenOffsetAt = 24, kDataCrcAt = 40;
constexpr std::size_t kRunCrcAt = kRunHeaderBytes - 8;

std::uint64_t run_header_crc(BytesView header, std::uint64_t incarnation) {
  std::byte seed[8];
  store_le(seed, incarnation);
  return crc64(header.first(kRunCrcAt), crc64(seed));
}

bool starts_with(BytesView bytes, std::string_view magic) {
  return std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

}  // namespace

std::string segment_path(SegmentId segment) {
  return fmt::format("{}/{:016x}{}", kSegmentsDirectory, segment.value, kNameSuffix);
}

Result<SegmentId> segment_of_name(std::string_view name) {
  SegmentId segment;
  const auto parsed = std::from_chars(name.data(), name.data() + std::min(name.size(), kNameDigits), segment.value, 16);
  if (parsed.ec == std::errc{} && segment && segment_path(segment) == fmt::format("{}/{}", kSegmentsDirectory, name)) {
    return segment;
  }
  return Error{Code::kInvalid, fmt::format("'{}' is not the name of a segment file", name)};
}

SegmentHeaderBytes encode(const SegmentHeader& header) {
  ASSERT(header.segment && header.incarnation != 0);
  SegmentHeaderBytes out{};
  std::memcpy(out.data(), kSegmentMagic.data(), kSegmentMagic.size());
  store_le(out.data() + kVersionAt, kFormatVersion);
  store_le(out.data() + kHeaderBytesAt, static_cast<std::uint32_t>(kSegmentHeaderBytes));
  store_le(out.data() + kSegmentAt, header.segment.value);
  store_le(out.data() + kIncarnationAt, header.incarnation);
  store_le(out.data() + kCellAt, header.cell);
  store_le(out.data() + kSegmentCrcAt, crc64(BytesView(out).first(kSegmentCrcAt)));
  return out;
}

Result<SegmentHeader> decode_segment_header(BytesView bytes) {
  if (bytes.size() != kSegmentHeaderBytes || !starts_with(bytes, kSegmentMagic)) {
    return Error{Code::kCorrupt, "this is not the header of a segment"};
  }
  if (load_le<std::uint64_t>(bytes.data() + kSegmentCrcAt) != crc64(bytes.first(kSegmentCrcAt))) {
    return Error{Code::kCorrupt, "the header of the segment does not verify"};
  }
  const auto version = load_le<std::uint32_t>(bytes.data() + kVersionAt);
  if (version != kFormatVersion || load_le<std::uint32_t>(bytes.data() + kHeaderBytesAt) != kSegmentHeaderBytes) {
    return Error{Code::kUnsupported,
                 fmt::format("the segment has format version {}; this tombolo reads {}", version, kFormatVersion)};
  }
  const SegmentHeader header{.segment = {load_le<std::uint64_t>(bytes.data() + kSegmentAt)},
                             .incarnation = load_le<std::uint64_t>(bytes.data() + kIncarnationAt),
                             .cell = load_le<std::uint64_t>(bytes.data() + kCellAt)};
  if (!header.segment || header.incarnation == 0) {
    return Error{Code::kCorrupt, "the header of the segment verifies but has no id or no incarnation"};
  }
  return header;
}

RunHeaderBytes encode(const RunHeader& header, std::uint64_t incarnation) {
  ASSERT(header.length > 0 && header.length <= kRunBytesMax);
  RunHeaderBytes out{};
  std::memcpy(out.data(), kRunMagic.data(), kRunMagic.size());
  store_le(out.data() + kLengthAt, static_cast<std::uint32_t>(header.length));
  store_le(out.data() + kTenantAt, header.tenant.value);
  store_le(out.data() + kGenAt, header.gen.value);
  store_le(out.data() + kGenOffsetAt, header.gen_offset);
  store_le(out.data() + kDataCrcAt, header.crc64);
  store_le(out.data() + kRunCrcAt, run_header_crc(out, incarnation));
  return out;
}

Result<RunHeader> decode_run_header(BytesView bytes, std::uint64_t incarnation) {
  if (bytes.size() != kRunHeaderBytes || !starts_with(bytes, kRunMagic) ||
      load_le<std::uint64_t>(bytes.data() + kRunCrcAt) != run_header_crc(bytes, incarnation)) {
    return Error{Code::kCorrupt, "there is no run header that verifies"};
  }
  RunHeader header{.tenant = {load_le<std::uint64_t>(bytes.data() + kTenantAt)},
                   .gen = {load_le<std::uint64_t>(bytes.data() + kGenAt)},
                   .gen_offset = load_le<std::uint64_t>(bytes.data() + kGenOffsetAt),
                   .length = load_le<std::uint32_t>(bytes.data() + kLengthAt),
                   .crc64 = load_le<std::uint64_t>(bytes.data() + kDataCrcAt)};
  if (header.length == 0 || header.length > kRunBytesMax) {
    return Error{Code::kCorrupt, "a run header verifies but holds an impossible length"};
  }
  return header;
}

}  // namespace tombolo::data
