#include "meta/ops/feed.h"

#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kRowsPerBatch = 2'000;

// Nobody else writes rows that old: their stamps have been passed.
Task<void> trim_in(Cell cell, kv::Transaction& txn, unsigned shard, Stamp before, Progress& progress) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  kv::RangeQuery query;
  query.begin = keys::feed(shard, 0, {});
  query.end = keys::feed(shard, cell.ids.feed_epoch(), before);
  query.limit = kRowsPerBatch;
  CO_TRY_ASSIGN(const auto page, txn.range(std::move(query)));
  for (const kv::Row& row : page.rows) txn.erase(row.key);
  progress = page.more ? Progress::kMore : Progress::kDone;
  co_return Result<void>{};
}

}  // namespace

Task<Progress> trim_feed(Cell cell, unsigned shard, Stamp before) {
  Progress progress = Progress::kDone;
  auto body = [&](kv::Transaction& txn) { return trim_in(cell, txn, shard, before, progress); };
  CO_TRY(transact(cell, body));
  co_return progress;
}

}  // namespace tombolo::meta
