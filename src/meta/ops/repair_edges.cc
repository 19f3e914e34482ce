#include "meta/ops/parts.h"
#include "meta/ops/repair.h"

namespace tombolo::meta {
namespace {

/// Reads row i with conflict, as whoever puts an edge must (core.md §3).
Task<bool> hold(kv::Transaction& txn, TenantId tenant, GenId gen, HolderId holder) {
  CO_TRY_ASSIGN(const auto row, read_gen(txn, tenant, gen));
  const bool live = row && row->state == GenState::kLive;
  if (live) txn.put(keys::edge(tenant, gen, holder), encode_edge());
  co_return live;
}

Task<bool> hold_for_object(kv::Transaction& txn, ContainerKey container, const std::string& name) {
  CO_TRY_ASSIGN(const auto object, read_object(txn, container, name));
  if (!object) co_return false;
  co_return co_await hold(txn, container.tenant, object->gen, object->holder);
}

Task<bool> hold_for_block(kv::Transaction& txn, ContainerKey container, UploadId upload, const std::string& block_id) {
  CO_TRY_ASSIGN(const auto value, txn.get(keys::staged_block(container, upload, block_id)));
  if (!value) co_return false;
  CO_CHECK_ASSIGN(const StagedBlockRow block, decode_staged_block(block_id, *value));
  co_return co_await hold(txn, container.tenant, block.gen, HolderId{upload.value});
}

Task<bool> hold_for_slice(kv::Transaction& txn, TenantId tenant, GenId gen, std::uint64_t offset) {
  CO_TRY_ASSIGN(const auto owner, read_gen(txn, tenant, gen));
  CO_TRY_ASSIGN(const auto value, txn.get(keys::slice(tenant, gen, offset)));
  if (!owner || owner->state != GenState::kLive || !value) co_return false;
  CO_CHECK_ASSIGN(const Slice slice, decode_slice(offset, *value));
  co_return co_await hold(txn, tenant, slice.source, HolderId{gen.value});
}

Task<bool> drop_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId gen, HolderId holder) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto edge, txn.get(keys::edge(tenant, gen, holder)));
  CO_TRY_ASSIGN(const auto holding, read_gen(txn, tenant, GenId{holder.value}));
  const std::string edges = keys::edges(tenant, gen);
  CO_TRY_ASSIGN(const auto all, read_prefix(txn, edges, edges, 2));
  if (!edge || holding || all.rows.size() < 2) co_return false;
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  drop_edge(txn, tenant, gen, holder, now);
  co_return true;
}

Task<bool> requeue_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId id) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto gen, read_gen(txn, tenant, id));
  const bool abandoned = gen && gen->state == GenState::kStaging && gen->writer_epoch != cell.ids.process_epoch();
  const bool dead = abandoned || (gen && gen->state == GenState::kCondemned);
  if (!dead) co_return false;
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  queue_candidate(txn, tenant, id, now);
  co_return true;
}

Task<void> correct_in(kv::Transaction& txn, std::int64_t by) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  count_cold(txn, by);
  co_return Result<void>{};
}

}  // namespace

Task<bool> restore_edge_of_object(Cell cell, ContainerKey container, std::string name) {
  auto body = [&](kv::Transaction& txn) { return hold_for_object(txn, container, name); };
  co_return co_await transact(cell, body);
}

Task<bool> restore_edge_of_block(Cell cell, ContainerKey container, UploadId upload, std::string block_id) {
  auto body = [&](kv::Transaction& txn) { return hold_for_block(txn, container, upload, block_id); };
  co_return co_await transact(cell, body);
}

Task<bool> restore_edge_of_slice(Cell cell, TenantId tenant, GenId gen, std::uint64_t offset) {
  auto body = [&](kv::Transaction& txn) { return hold_for_slice(txn, tenant, gen, offset); };
  co_return co_await transact(cell, body);
}

Task<bool> drop_lonely_edge(Cell cell, TenantId tenant, GenId gen, HolderId holder) {
  auto body = [&](kv::Transaction& txn) { return drop_in(cell, txn, tenant, gen, holder); };
  co_return co_await transact(cell, body);
}

Task<bool> requeue_dead_gen(Cell cell, TenantId tenant, GenId gen) {
  auto body = [&](kv::Transaction& txn) { return requeue_in(cell, txn, tenant, gen); };
  co_return co_await transact(cell, body);
}

Task<void> correct_cold_bytes(Cell cell, std::int64_t by) {
  auto body = [&](kv::Transaction& txn) { return correct_in(txn, by); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
