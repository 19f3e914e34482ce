#include "base/assert.h"
#include "meta/ops/run_rows.h"
#include "meta/ops/tier.h"

namespace tombolo::meta {
namespace {

bool same(const LocalPlace& a, const LocalPlace& b) {
  return a.segment == b.segment && a.offset == b.offset;
}

Task<bool> move_in(Cell cell, kv::Transaction& txn, const MoveRun& move) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto gen, read_gen(txn, move.tenant, move.gen));
  if (!gen || gen->state == GenState::kCondemned) co_return false;
  const std::vector<Run> wanted{{.gen = move.gen, .offset = move.offset}};
  CO_TRY_ASSIGN(auto rows, reread_runs(txn, move.tenant, wanted));
  auto& run = rows.front();
  if (!run || !run->local || !same(*run->local, move.from)) co_return false;
  run->local = move.to;
  cell.ledger.freed(txn, move.from, run->length);
  cell.ledger.placed(txn, move.to, run->length);
  txn.put(keys::run(move.tenant, move.gen, move.offset), encode(*run));
  co_return true;
}

Task<std::vector<bool>> move_all_in(Cell cell, kv::Transaction& txn, const std::vector<MoveRun>& moves) {
  std::vector<bool> moved;
  for (const MoveRun& move : moves) {
    CO_TRY_ASSIGN(const bool one, move_in(cell, txn, move));
    moved.push_back(one);
  }
  co_return moved;
}

}  // namespace

Task<bool> move_run(Cell cell, MoveRun move) {
  std::vector<MoveRun> one{move};
  CO_TRY_ASSIGN(const std::vector<bool> moved, move_runs(cell, std::move(one)));
  co_return moved.front();
}

Task<std::vector<bool>> move_runs(Cell cell, std::vector<MoveRun> moves) {
  ASSERT(moves.size() <= kRunsPerBatchMax);
  auto body = [&](kv::Transaction& txn) { return move_all_in(cell, txn, moves); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
