// Purges: what a deleted container, or a dropped upload, leaves behind, in bounded batches that resume after a crash.
#pragma once

#include <vector>

#include "meta/cell.h"
#include "meta/model/candidate.h"

namespace tombolo::meta {

/// The oldest entries of the purge queue, at most `limit` (1 … 1,000).
Task<std::vector<PurgeEntry>> list_purges(Cell cell, std::uint32_t limit);

enum class Progress { kMore, kDone };

/// One batch of an entry of either kind: drops names and edges; gens that lose an edge become candidates of garbage
/// collection. kDone: the entry is gone from the queue. Safe to repeat.
Task<Progress> purge_batch(Cell cell, PurgeEntry entry);

}  // namespace tombolo::meta
