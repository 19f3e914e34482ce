// Compaction of one segment: its live runs move to another, so that its file can go.
#pragma once

#include <optional>

#include "base/ids.h"
#include "store/services.h"

namespace tombolo::tiering {

struct Compacted {
  std::uint64_t runs = 0;     // moved
  std::uint64_t bytes = 0;    // copied
  std::uint64_t damaged = 0;  // live runs whose bytes do not verify: they stay, and so does the segment
  /// What ended it early (a full disk, say); what had been copied by then has moved all the same.
  std::optional<Error> stopped = {};
};

/// Finds runs by their headers, asks the rows which of them live here, copies these with every granule verified, syncs,
/// then changes their places in bounded transactions (core.md §2). Readers go on; nothing but places changes. May use
/// the space that is kept for it on a full disk. kNotFound when the segment is gone, kCorrupt when its file is.
Task<Compacted> compact_segment(store::Services& services, SegmentId segment);

}  // namespace tombolo::tiering
