// The change feed's old end: whoever has not read a record in a week reads a listing instead (DESIGN decision 10).
#include "meta/ops/feed.h"
#include "tiering/collect.h"

namespace tombolo::tiering {
namespace {

constexpr int kBatchesPerPass = 8;  // of one shard

}  // namespace

Task<void> collect_feed(Collecting& collecting, Pass& pass) {
  const meta::Cell cell = collecting.services.cell;
  const SteadyTime now = cell.clock.steady();
  if (collecting.feed_looked_at && now - *collecting.feed_looked_at < collecting.options.feed_every) {
    co_return Result<void>{};
  }
  CO_TRY_ASSIGN(const Stamp stamp, cell.stamper.next());
  const Stamp kept_from = before(stamp, collecting.options.feed_kept);
  for (unsigned shard = 0; shard < meta::kFeedShards; ++shard) {
    meta::BatchEnd batch{.next = collecting.feed_trimmed_to[shard]};
    for (int n = 0; n < kBatchesPerPass && batch.progress == meta::Progress::kMore; ++n) {
      if (collecting.stopping) co_return Result<void>{};
      CO_TRY_ASSIGN(batch, meta::trim_feed(cell, shard, kept_from, batch.next));
      collecting.feed_trimmed_to[shard] = batch.next;
    }
    pass.changed = pass.changed || batch.progress == meta::Progress::kMore;
  }
  if (!pass.changed) collecting.feed_looked_at = now;
  co_return Result<void>{};
}

}  // namespace tombolo::tiering
