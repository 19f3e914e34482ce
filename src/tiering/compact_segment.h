// Compaction of one segment: its live runs move to another, so that its file can go.
#pragma once

#include <optional>

#include "async/stop_asked.h"
#include "base/ids.h"
#include "store/services.h"

namespace tombolo::tiering {

struct Compacted {
  std::uint64_t runs = 0;   // moved
  std::uint64_t bytes = 0;  // copied
  /// Live runs whose bytes do not verify, and places that cannot be read: what lies there stays, and so may the
  /// segment.
  std::uint64_t damaged = 0;
  /// What ended it early (a full disk, say); what had been copied by then has moved all the same.
  std::optional<Error> stopped = {};
};

/// Finds runs by their headers, asks the rows which of them live here, copies these with every granule verified, syncs,
/// then changes their places in bounded transactions (core.md §2). Readers go on; nothing but places changes. May use
/// the space that is kept for it on a full disk. kNotFound when the segment is gone, kCorrupt when its file is,
/// kCancelled when asked to stop before anything was copied.
Task<Compacted> compact_segment(store::Services& services, SegmentId segment, StopAsked stop_asked = {});

}  // namespace tombolo::tiering
