// Reading a segment file without any row: for fsck and salvage.
#pragma once

#include <cstdint>
#include <vector>

#include "async/stop_asked.h"
#include "async/task.h"
#include "data/layout.h"
#include "disk/disk.h"

namespace tombolo::data {

struct FoundRun {
  std::uint64_t offset = 0;  // of the header in the file
  RunHeader header;
  bool verified = false;  // the data was read, is all there, and has the header's CRC64
};

struct SegmentScan {
  SegmentHeader header;
  std::uint64_t file_bytes = 0;
  std::uint32_t unreadable = 0;  // places of headers that the device fails to read: a run there was not found
  std::vector<FoundRun> runs;    // in file order; live and dead ones alike: only rows know which is which
};

enum class ScanDepth {
  kHeaders,  // for compaction, which verifies what it moves
  kData,     // for fsck and salvage
};

/// Finds every run whose header verifies, by looking at each place where one may start; a broken header, or one
/// that the device fails to read, hides its own run only. kCorrupt when the segment header does not verify,
/// kUnavailable when it, or very much, cannot be read; kCancelled when asked to stop. Reads 256 KiB at a time; the
/// whole file for kData.
Task<SegmentScan> scan_segment(disk::File& file, ScanDepth depth = ScanDepth::kData, StopAsked stop_asked = {});

}  // namespace tombolo::data
