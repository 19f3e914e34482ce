// The rows that say which segments there are and how much of each is live (docs/formats/segments.md, rows).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "kv/kv.h"

namespace tombolo::data {

enum class SegmentState : std::uint8_t {
  kOpen = 0,     // may get runs while the process that opened it lives; afterwards the same as sealed
  kSealed = 1,   // gets no more runs
  kFreeing = 2,  // nothing points into it; its file goes, then this row
};

/// Row S <segment>.
struct SegmentRow {
  SegmentState state = SegmentState::kOpen;
  std::uint64_t incarnation = 0;
  std::uint64_t file_bytes = 0;  // once sealed
};

std::string segment_key(SegmentId segment);
std::string segment_live_key(SegmentId segment);
/// The row whose value is the next segment id (u64, little-endian).
std::string segment_next_key();

std::string encode(const SegmentRow& row);
Result<SegmentRow> decode_segment_row(std::string_view value);

/// A run was placed (or freed) by `txn`: keeps the segment's live bytes. `offset` is the run header's, `length` that of
/// the run's data, both as the run's own row says; live bytes count the occupied ones (layout.h). Buffers one
/// `txn.add`, so that writers of one segment do not conflict.
void segment_live_placed(kv::Transaction& txn, SegmentId segment, std::uint64_t offset, std::uint64_t length);
void segment_live_freed(kv::Transaction& txn, SegmentId segment, std::uint64_t offset, std::uint64_t length);

struct SegmentInfo {
  SegmentId segment;
  SegmentRow row;
  std::int64_t live_bytes = 0;
};

/// All segments, in order of their ids. kCorrupt names a row that does not decode.
Task<std::vector<SegmentInfo>> read_segments(kv::Snapshot& snapshot);

}  // namespace tombolo::data
