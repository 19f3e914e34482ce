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

Task<void> postpone_in(kv::Transaction& txn, Candidate candidate, Stamp queued) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto there, txn.get(keys::candidate(candidate)));
  if (!there) co_return Result<void>{};
  txn.erase(keys::candidate(candidate));
  candidate.queued = queued;
  txn.put(keys::candidate(candidate), encode(candidate));
  co_return Result<void>{};
}

}  // namespace

Result<Candidate> candidate_of(const kv::Row& row) {
  TRY_ASSIGN(const auto id, keys::id_of_candidate(row.key));
  return decode_candidate({.shard = id.shard, .queued = id.queued, .id = id.id}, row.value);
}

Task<RowPage<Candidate>> list_candidates(Cell cell, CandidateQuery asked) {
  const auto snapshot = cell.engine.snapshot();
  const Candidate bound{.shard = asked.shard, .queued = asked.before};
  kv::RangeQuery query;
  query.begin = asked.from.empty() ? keys::candidates(asked.shard) : std::move(asked.from);
  query.end = keys::candidate(bound);
  if (query.begin >= query.end) co_return RowPage<Candidate>{};
  query.limit = std::clamp<std::uint32_t>(asked.limit, 1, 1'000);
  CO_TRY_ASSIGN(const auto page, snapshot->range(std::move(query)));
  co_return decoded_page<Candidate>(page, candidate_of);
}

Task<void> drop_candidate(Cell cell, Candidate candidate) {
  auto body = [&](kv::Transaction& txn) { return drop_in(txn, candidate); };
  co_return co_await transact(cell, body);
}

Task<void> postpone_candidate(Cell cell, Candidate candidate, Stamp queued) {
  auto body = [&](kv::Transaction& txn) { return postpone_in(txn, candidate, queued); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
