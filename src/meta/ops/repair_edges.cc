#include "meta/ops/parts.h"
#include "meta/ops/repair.h"

namespace tombolo::meta {
namespace {

/// Reads row i with conflict, as whoever puts an edge must (core.md §3).
Task<void> hold(kv::Transaction& txn, TenantId tenant, GenId gen, HolderId holder, bool& done) {
  CO_TRY_ASSIGN(const auto row, read_gen(txn, tenant, gen));
  done = row && row->state == GenState::kLive;
  if (done) txn.put(keys::edge(tenant, gen, holder), encode_edge());
  co_return Result<void>{};
}

Task<void> hold_for_object(kv::Transaction& txn, ContainerKey container, const std::string& name, bool& done) {
  done = false;
  CO_TRY_ASSIGN(const auto object, read_object(txn, container, name));
  if (!object) co_return Result<void>{};
  co_return co_await hold(txn, container.tenant, object->gen, object->holder, done);
}

Task<void> hold_for_block(kv::Transaction& txn, ContainerKey container, UploadId upload, const std::string& block_id,
                          bool& done) {
  done = false;
  CO_TRY_ASSIGN(const auto value, txn.get(keys::staged_block(container, upload, block_id)));
  if (!value) co_return Result<void>{};
  CO_CHECK_ASSIGN(const StagedBlockRow block, decode_staged_block(block_id, *value));
  co_return co_await hold(txn, container.tenant, block.gen, HolderId{upload.value}, done);
}

Task<void> hold_for_slice(kv::Transaction& txn, TenantId tenant, GenId gen, std::uint64_t offset, bool& done) {
  done = false;
  CO_TRY_ASSIGN(const auto owner, read_gen(txn, tenant, gen));
  CO_TRY_ASSIGN(const auto value, txn.get(keys::slice(tenant, gen, offset)));
  if (!owner || owner->state != GenState::kLive || !value) co_return Result<void>{};
  CO_CHECK_ASSIGN(const Slice slice, decode_slice(offset, *value));
  co_return co_await hold(txn, tenant, slice.source, HolderId{gen.value}, done);
}

Task<void> drop_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId gen, HolderId holder, bool& done) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  done = false;
  CO_TRY_ASSIGN(const auto edge, txn.get(keys::edge(tenant, gen, holder)));
  CO_TRY_ASSIGN(const auto holding, read_gen(txn, tenant, GenId{holder.value}));
  const std::string edges = keys::edges(tenant, gen);
  CO_TRY_ASSIGN(const auto all, read_prefix(txn, edges, edges, 2));
  if (!edge || holding || all.rows.size() < 2) co_return Result<void>{};
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  drop_edge(txn, tenant, gen, holder, now);
  done = true;
  co_return Result<void>{};
}

Task<void> requeue_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId id, bool& done) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto gen, read_gen(txn, tenant, id));
  const bool abandoned = gen && gen->state == GenState::kStaging && gen->writer_epoch != cell.ids.process_epoch();
  done = abandoned || (gen && gen->state == GenState::kCondemned);
  if (!done) co_return Result<void>{};
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  queue_candidate(txn, tenant, id, now);
  co_return Result<void>{};
}

Task<void> correct_in(kv::Transaction& txn, std::int64_t by) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  count_cold(txn, by);
  co_return Result<void>{};
}

}  // namespace

Task<bool> restore_edge_of_object(Cell cell, ContainerKey container, std::string name) {
  bool done = false;
  auto body = [&](kv::Transaction& txn) { return hold_for_object(txn, container, name, done); };
  CO_TRY(transact(cell, body));
  co_return done;
}

Task<bool> restore_edge_of_block(Cell cell, ContainerKey container, UploadId upload, std::string block_id) {
  bool done = false;
  auto body = [&](kv::Transaction& txn) { return hold_for_block(txn, container, upload, block_id, done); };
  CO_TRY(transact(cell, body));
  co_return done;
}

Task<bool> restore_edge_of_slice(Cell cell, TenantId tenant, GenId gen, std::uint64_t offset) {
  bool done = false;
  auto body = [&](kv::Transaction& txn) { return hold_for_slice(txn, tenant, gen, offset, done); };
  CO_TRY(transact(cell, body));
  co_return done;
}

Task<bool> drop_lonely_edge(Cell cell, TenantId tenant, GenId gen, HolderId holder) {
  bool done = false;
  auto body = [&](kv::Transaction& txn) { return drop_in(cell, txn, tenant, gen, holder, done); };
  CO_TRY(transact(cell, body));
  co_return done;
}

Task<bool> requeue_dead_gen(Cell cell, TenantId tenant, GenId gen) {
  bool done = false;
  auto body = [&](kv::Transaction& txn) { return requeue_in(cell, txn, tenant, gen, done); };
  CO_TRY(transact(cell, body));
  co_return done;
}

Task<void> correct_cold_bytes(Cell cell, std::int64_t by) {
  auto body = [&](kv::Transaction& txn) { return correct_in(txn, by); };
  CO_TRY(transact(cell, body));
  co_return Result<void>{};
}

}  // namespace tombolo::meta
