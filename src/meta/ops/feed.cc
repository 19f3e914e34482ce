#include "meta/ops/feed.h"

#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kRowsPerBatch = 2'000;

// Nobody else writes rows that old: their stamps have been passed.
Task<Progress> trim_in(Cell cell, kv::Transaction& txn, unsigned shard, Stamp before) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  kv::RangeQuery query;
  query.begin = keys::feed(shard, 0, {});
  query.end = keys::feed(shard, cell.ids.feed_epoch(), before);
  query.limit = kRowsPerBatch;
  CO_TRY_ASSIGN(const auto page, txn.range(std::move(query)));
  for (const kv::Row& row : page.rows) txn.erase(row.key);
  co_return page.more ? Progress::kMore : Progress::kDone;
}

}  // namespace

Task<Progress> trim_feed(Cell cell, unsigned shard, Stamp before) {
  auto body = [&](kv::Transaction& txn) { return trim_in(cell, txn, shard, before); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
