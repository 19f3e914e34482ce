// The change feed's rows (DESIGN decision 10). Operations write them; readers come later; here is their end.
#pragma once

#include "meta/cell.h"
#include "meta/model/feed.h"
#include "meta/ops/purge.h"

namespace tombolo::meta {

/// Records live this long, until registered readers can ask for more.
inline constexpr std::uint64_t kFeedMicrosKept = 7ull * 24 * 3600 * 1'000'000;

/// Erases a batch of a shard's records older than `before`, oldest first. Shards are 0 … kFeedShards - 1. `from` is the
/// `next` of the last batch, of another `before` too.
Task<BatchEnd> trim_feed(Cell cell, unsigned shard, Stamp before, std::string from = {});

}  // namespace tombolo::meta
