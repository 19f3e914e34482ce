#include <algorithm>

#include "meta/ops/gens.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<void> drop_in(kv::Transaction& txn, const Candidate& candidate) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  txn.erase(keys::candidate(candidate));
  co_return Result<void>{};
}

Task<void> postpone_in(Cell cell, kv::Transaction& txn, Candidate candidate) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto there, txn.get(keys::candidate(candidate)));
  if (!there) co_return Result<void>{};
  txn.erase(keys::candidate(candidate));
  CO_TRY_ASSIGN(candidate.queued, cell.stamper.next());
  txn.put(keys::candidate(candidate), encode(candidate));
  co_return Result<void>{};
}

}  // namespace

Task<std::vector<Candidate>> list_candidates(Cell cell, unsigned shard, Stamp before, std::uint32_t limit,
                                             std::optional<Candidate> after) {
  const auto snapshot = cell.engine.snapshot();
  const Candidate bound{.shard = shard, .queued = before};
  kv::RangeQuery query;
  query.begin = after ? keys::candidate(*after) + '\0' : keys::candidates(shard);
  query.end = keys::candidate(bound);
  if (query.begin >= query.end) co_return std::vector<Candidate>{};
  query.limit = std::clamp<std::uint32_t>(limit, 1, 1'000);
  CO_TRY_ASSIGN(const auto page, snapshot->range(std::move(query)));
  std::vector<Candidate> out;
  for (const kv::Row& row : page.rows) {
    CO_CHECK_ASSIGN(const auto id, keys::id_of_candidate(row.key));
    const Candidate key{.shard = id.shard, .queued = id.queued, .id = id.id};
    CO_CHECK_ASSIGN(Candidate candidate, decode_candidate(key, row.value));
    out.push_back(std::move(candidate));
  }
  co_return out;
}

Task<void> drop_candidate(Cell cell, Candidate candidate) {
  auto body = [&](kv::Transaction& txn) { return drop_in(txn, candidate); };
  co_return co_await transact(cell, body);
}

Task<void> postpone_candidate(Cell cell, Candidate candidate) {
  auto body = [&](kv::Transaction& txn) { return postpone_in(cell, txn, candidate); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
