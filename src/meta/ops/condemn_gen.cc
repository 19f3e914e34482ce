// Phase 1 of a gen's death. Why two phases are enough without guarding the edges: every edge put reads row i with
// conflict and refuses a condemned gen. An edge that commits before this transaction, unseen by its range read, is
// found by phase 2, which revives; none can commit after it (metadata.md §3.5: 0 bad traces of 18,900).
#include "base/assert.h"
#include "meta/ops/gens.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

bool writer_may_live(const Cell& cell, const Gen& gen, Stamp now) {
  return gen.writer_epoch == cell.ids.process_epoch() && now.micros - gen.created.micros < kStagingMicrosMax;
}

Task<Judged> condemn_in(Cell cell, kv::Transaction& txn, const Candidate& candidate) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  const std::string row = keys::candidate(candidate);
  CO_TRY_ASSIGN(auto gen, read_gen(txn, candidate.tenant, candidate.gen()));
  if (!gen) {
    txn.erase(row);
    co_return Judged::kGone;
  }
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  if (gen->state == GenState::kCondemned) {
    if (candidate.queued == gen->condemned_at) co_return Judged::kCondemned;
    txn.erase(row);
    queue_candidate(txn, candidate.tenant, gen->id, gen->condemned_at);
    co_return Judged::kCondemned;
  }
  txn.erase(row);
  if (gen->state == GenState::kStaging && writer_may_live(cell, *gen, now)) {
    queue_candidate(txn, candidate.tenant, gen->id, now);
    co_return Judged::kStaging;
  }
  const std::string edges = keys::edges(candidate.tenant, gen->id);
  CO_TRY_ASSIGN(const auto held, read_prefix(txn, edges, edges, 1));
  if (!held.rows.empty()) co_return Judged::kHeld;
  gen->state = GenState::kCondemned;
  gen->condemned_at = now;
  put_gen(txn, candidate.tenant, *gen);
  queue_candidate(txn, candidate.tenant, gen->id, now);
  co_return Judged::kCondemned;
}

}  // namespace

Task<Judged> condemn_gen(Cell cell, Candidate candidate) {
  ASSERT(candidate.kind == CandidateKind::kGen);
  auto body = [&](kv::Transaction& txn) { return condemn_in(cell, txn, candidate); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
