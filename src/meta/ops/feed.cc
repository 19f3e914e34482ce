#include "meta/ops/feed.h"

#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kRowsPerBatch = 2'000;

// Nobody else writes rows that old: their stamps have been passed.
Task<BatchEnd> trim_in(kv::Transaction& txn, kv::RangeQuery query) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  std::string end = query.end;
  CO_TRY_ASSIGN(const auto page, txn.range(std::move(query)));
  for (const kv::Row& row : page.rows) txn.erase(row.key);
  if (page.more) co_return BatchEnd{.next = page.rows.back().key + '\0'};
  co_return BatchEnd{.progress = Progress::kDone, .next = std::move(end)};
}

}  // namespace

Task<BatchEnd> trim_feed(Cell cell, unsigned shard, Stamp before, std::string from) {
  kv::RangeQuery query;
  query.begin = from.empty() ? keys::feed(shard, 0, {}) : std::move(from);
  query.end = keys::feed(shard, cell.ids.feed_epoch(), before);
  query.limit = kRowsPerBatch;
  if (query.begin >= query.end) co_return BatchEnd{.progress = Progress::kDone, .next = std::move(query.begin)};
  auto body = [&](kv::Transaction& txn) { return trim_in(txn, query); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
