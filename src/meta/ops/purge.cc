#include "meta/ops/purge.h"

#include <algorithm>

#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kRowsPerBatch = 1'000;

// An object row lets go of its gen, a staged block of its own; rows of other tables just go. Rows are read as range: a
// container that is being deleted, and an upload whose head is gone, have no other writers.
Result<void> drop_row(kv::Transaction& txn, TenantId tenant, const kv::Row& row, Stamp now) {
  const auto table = keys::table_of(row.key);
  if (table == kv::Table::kObjects) {
    TRY_ASSIGN(const Object object, decode_object({}, row.value));
    drop_edge(txn, tenant, object.gen, object.holder, now);
  } else if (table == kv::Table::kUploadBlocks) {
    TRY_ASSIGN(const keys::StagedBlockId id, keys::id_of_staged_block(row.key));
    if (id.block_id) {
      TRY_ASSIGN(const StagedBlockRow block, decode_staged_block({}, row.value));
      drop_edge(txn, tenant, block.gen, HolderId{id.upload.value}, now);
    }
  }
  txn.erase(row.key);
  return {};
}

Task<Progress> purge_in(Cell cell, kv::Transaction& txn, const PurgeEntry& entry) {
  const ContainerKey container{entry.tenant, entry.container};
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY(txn.guard_shared(keys::container(container)));
  const std::string prefix = entry.kind == PurgeKind::kContainer ? keys::container_rows(container)
                                                                 : keys::upload_rows(container, entry.upload);
  CO_TRY_ASSIGN(const auto page, read_prefix(txn, prefix, prefix, kRowsPerBatch));
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  std::size_t dropped = 0;
  for (const kv::Row& row : page.rows) {
    if (row.key == keys::container(container)) continue;  // last of all: until then it says kDeleting
    CO_CHECK(drop_row(txn, entry.tenant, row, now));
    ++dropped;
  }
  if (dropped > 0 || page.more) co_return Progress::kMore;
  if (entry.kind == PurgeKind::kContainer) txn.erase(keys::container(container));
  txn.erase(keys::purge(entry));
  co_return Progress::kDone;
}

}  // namespace

Task<std::vector<PurgeEntry>> list_purges(Cell cell, std::uint32_t limit) {
  const auto snapshot = cell.engine.snapshot();
  const std::string prefix = kv::table_prefix(kv::Table::kPurges);
  CO_TRY_ASSIGN(const auto page, read_prefix(*snapshot, prefix, prefix, std::clamp<std::uint32_t>(limit, 1, 1'000)));
  std::vector<PurgeEntry> out;
  for (const kv::Row& row : page.rows) {
    CO_CHECK_ASSIGN(const Stamp queued, keys::queued_of_purge(row.key));
    CO_CHECK_ASSIGN(const PurgeEntry entry, decode_purge(queued, row.value));
    out.push_back(entry);
  }
  co_return out;
}

Task<Progress> purge_batch(Cell cell, PurgeEntry entry) {
  auto body = [&](kv::Transaction& txn) { return purge_in(cell, txn, entry); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
