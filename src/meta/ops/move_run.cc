#include "base/assert.h"
#include "meta/ops/run_rows.h"
#include "meta/ops/tier.h"

namespace tombolo::meta {
namespace {

bool same(const LocalPlace& a, const LocalPlace& b) {
  return a.segment == b.segment && a.offset == b.offset;
}

Task<void> move_in(Cell cell, kv::Transaction& txn, const MoveRun& move, bool& moved) {
  moved = false;
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto gen, read_gen(txn, move.tenant, move.gen));
  if (!gen || gen->state == GenState::kCondemned) co_return Result<void>{};
  const std::vector<Run> wanted{{.gen = move.gen, .offset = move.offset}};
  CO_TRY_ASSIGN(auto rows, reread_runs(txn, move.tenant, wanted));
  auto& run = rows.front();
  if (!run || !run->local || !same(*run->local, move.from)) co_return Result<void>{};
  run->local = move.to;
  cell.ledger.freed(txn, move.from, run->length);
  cell.ledger.placed(txn, move.to, run->length);
  txn.put(keys::run(move.tenant, move.gen, move.offset), encode(*run));
  moved = true;
  co_return Result<void>{};
}

Task<void> move_all_in(Cell cell, kv::Transaction& txn, const std::vector<MoveRun>& moves, std::vector<bool>& moved) {
  moved.clear();
  for (const MoveRun& move : moves) {
    bool one = false;
    CO_TRY(move_in(cell, txn, move, one));
    moved.push_back(one);
  }
  co_return Result<void>{};
}

}  // namespace

Task<bool> move_run(Cell cell, MoveRun move) {
  std::vector<MoveRun> one{move};
  CO_TRY_ASSIGN(const std::vector<bool> moved, move_runs(cell, std::move(one)));
  co_return moved.front();
}

Task<std::vector<bool>> move_runs(Cell cell, std::vector<MoveRun> moves) {
  ASSERT(moves.size() <= kRunsPerBatchMax);
  std::vector<bool> moved;
  auto body = [&](kv::Transaction& txn) { return move_all_in(cell, txn, moves, moved); };
  CO_TRY(transact(cell, body));
  co_return moved;
}

}  // namespace tombolo::meta
