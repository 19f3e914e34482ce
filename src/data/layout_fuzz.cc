// Headers of segments and runs, the names of segment files, and the rows of segments.
#include "data/layout.h"

#include <algorithm>

#include "base/crc64.h"
#include "base/endian.h"
#include "data/segment_rows.h"
#include "testing/fuzz.h"

namespace tombolo::data {
namespace {

void check_segment_header(BytesView bytes) {
  const auto header = decode_segment_header(bytes);
  if (!header.ok()) {
    ASSERT(header.error().code == Code::kCorrupt || header.error().code == Code::kUnsupported);
    return;
  }
  ASSERT(header->segment && header->incarnation != 0);
  const SegmentHeaderBytes again = encode(*header);
  ASSERT(std::equal(again.begin(), again.begin() + 40, bytes.begin()));
}

void check_run_header(BytesView bytes, std::uint64_t incarnation) {
  const auto header = decode_run_header(bytes, incarnation);
  if (!header.ok()) {
    ASSERT(header.error().code == Code::kCorrupt);
    return;
  }
  ASSERT(header->length >= 1 && header->length <= kRunBytesMax);
  const RunHeaderBytes again = encode(*header, incarnation);
  ASSERT(std::equal(again.begin(), again.begin() + 32, bytes.begin()));
  ASSERT(!decode_run_header(bytes, incarnation + 1).ok());
  for (const std::uint64_t offset : {kSegmentHeaderBytes, header_offset(kSegmentHeaderBytes, header->length)}) {
    const std::uint64_t occupied = occupied_bytes(offset, header->length);
    ASSERT(occupied % kBlockBytes == 0 && occupied >= kRunHeaderBytes + header->length);
    ASSERT(occupied < kRunHeaderBytes + header->length + 2 * kBlockBytes);
  }
}

// With right checksums: a fuzzer does not guess those.
void check_patched(BytesView input) {
  SegmentHeaderBytes block{};
  std::copy_n(input.begin(), std::min(input.size(), block.size() - 8), block.begin());
  store_le(block.data() + block.size() - 8, crc64(BytesView(block).first(block.size() - 8)));
  check_segment_header(block);

  fuzz::Pieces pieces(input);
  const std::uint64_t incarnation = pieces.u64();
  RunHeaderBytes run{};
  const BytesView rest = as_bytes(pieces.rest());
  std::copy_n(rest.begin(), std::min(rest.size(), run.size() - 8), run.begin());
  std::byte seed[8];
  store_le(seed, incarnation);
  store_le(run.data() + run.size() - 8, crc64(BytesView(run).first(run.size() - 8), crc64(seed)));
  check_run_header(run, incarnation);
}

void check_written(BytesView input) {
  fuzz::Pieces pieces(input);
  const SegmentHeader segment{
      .segment = {1 + pieces.u64() / 2}, .incarnation = 1 + pieces.u64() / 2, .cell = pieces.u64()};
  SegmentHeaderBytes block = encode(segment);
  const auto read = decode_segment_header(block);
  ASSERT(read.ok() && read->segment == segment.segment && read->incarnation == segment.incarnation);
  ASSERT(read->cell == segment.cell);
  block[pieces.u16() % block.size()] ^= static_cast<std::byte>(1U << pieces.below(8));
  ASSERT(!decode_segment_header(block).ok());

  const RunHeader run{.tenant = {pieces.u64()},
                      .gen = {pieces.u64()},
                      .gen_offset = pieces.u64(),
                      .length = 1 + pieces.u64() % kRunBytesMax,
                      .crc64 = pieces.u64()};
  RunHeaderBytes bytes = encode(run, segment.incarnation);
  const auto back = decode_run_header(bytes, segment.incarnation);
  ASSERT(back.ok() && back->tenant == run.tenant && back->gen == run.gen && back->gen_offset == run.gen_offset);
  ASSERT(back->length == run.length && back->crc64 == run.crc64);
  bytes[pieces.byte() % bytes.size()] ^= static_cast<std::byte>(1U << pieces.below(8));
  ASSERT(!decode_run_header(bytes, segment.incarnation).ok());
}

}  // namespace

FUZZ(data_layout) {
  const fuzz::Exact copy(as_text(input));
  if (!input.empty()) {
    check_segment_header(copy.bytes());
    check_run_header(copy.bytes(), 1);
  }
  check_patched(input);
  check_written(input);
  if (const auto segment = segment_of_name(copy.text()); segment.ok()) {
    ASSERT(segment_path(*segment) == std::string(kSegmentsDirectory) + "/" + std::string(copy.text()));
  }
  if (const auto row = decode_segment_row(copy.text()); row.ok()) ASSERT(encode(*row) == copy.text());
}

}  // namespace tombolo::data
