#include "base/assert.h"
#include "meta/ops/gens.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<void> create_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId id, GenShape shape) {
  CO_TRY_ASSIGN(const auto there, txn.get(keys::gen(tenant, id)));
  if (there) co_return Error{Code::kAlreadyExists, "the gen exists already"};
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  Gen gen;
  gen.id = id;
  gen.shape = shape;
  gen.created = now;
  gen.writer_epoch = cell.ids.process_epoch();
  put_gen(txn, tenant, gen);
  queue_candidate(txn, tenant, id, now);
  co_return Result<void>{};
}

Task<void> add_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId id, const std::vector<Run>& runs) {
  CO_TRY_ASSIGN(const auto gen, read_gen(txn, tenant, id));
  if (!gen || gen->state != GenState::kStaging) co_return gen_condemned();
  ASSERT(gen->shape == GenShape::kRuns);
  for (const Run& run : runs) ASSERT(run.gen == id);
  put_runs(cell, txn, tenant, runs);
  co_return Result<void>{};
}

Task<void> abandon_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId id) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(auto gen, read_gen(txn, tenant, id));
  if (!gen || gen->state != GenState::kStaging) co_return Result<void>{};
  CO_TRY_ASSIGN(gen->condemned_at, cell.stamper.next());
  gen->state = GenState::kCondemned;  // the candidate row of the intent leads gc here
  put_gen(txn, tenant, *gen);
  co_return Result<void>{};
}

}  // namespace

Task<void> create_gen(Cell cell, TenantId tenant, GenId gen, GenShape shape) {
  auto body = [&](kv::Transaction& txn) { return create_in(cell, txn, tenant, gen, shape); };
  co_return co_await transact(cell, body);
}

Task<void> add_runs(Cell cell, TenantId tenant, GenId gen, std::vector<Run> runs) {
  auto body = [&](kv::Transaction& txn) { return add_in(cell, txn, tenant, gen, runs); };
  co_return co_await transact(cell, body);
}

Task<void> abandon_gen(Cell cell, TenantId tenant, GenId gen) {
  auto body = [&](kv::Transaction& txn) { return abandon_in(cell, txn, tenant, gen); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
