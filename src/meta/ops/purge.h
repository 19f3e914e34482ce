// Purges: what a deleted container, or a dropped upload, leaves behind, in bounded batches that resume after a crash.
#pragma once

#include <string>

#include "meta/cell.h"
#include "meta/model/candidate.h"
#include "meta/ops/row_page.h"

namespace tombolo::meta {

/// The purge queue, the oldest entries first: at most `limit` (1 … 1,000) rows from `from`, which is the `next` of the
/// page before.
Task<RowPage<PurgeEntry>> list_purges(Cell cell, std::uint32_t limit, std::string from = {});

enum class Progress { kMore, kDone };

/// How far a batch of a long erasure got. `next`, given to the next one, spares it the rows that are erased already: an
/// engine goes over them as over rows, until it has dropped them for good.
struct BatchEnd {
  Progress progress = Progress::kMore;
  std::string next;
};

/// One batch of an entry of either kind, the first one from {}: drops names and edges; gens that lose an edge become
/// candidates of garbage collection. kDone: the entry is gone from the queue. Safe to repeat.
Task<BatchEnd> purge_batch(Cell cell, PurgeEntry entry, std::string from = {});

}  // namespace tombolo::meta
