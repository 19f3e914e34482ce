#include "meta/ops/purge.h"

#include <algorithm>

#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kRowsPerBatch = 1'000;

// An object row lets go of its gen, a staged block of its own; rows of other tables just go.
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

Task<void> purge_in(Cell cell, kv::Transaction& txn, const PurgeEntry& entry, const kv::RangePage& page) {
  const ContainerKey container{entry.tenant, entry.container};
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY(txn.guard_shared(keys::container(container)));
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  for (const kv::Row& row : page.rows) {
    if (row.key == keys::container(container)) continue;  // last of all: until then it says kDeleting
    CO_CHECK(drop_row(txn, entry.tenant, row, now));
  }
  if (page.more) co_return Result<void>{};
  if (entry.kind == PurgeKind::kContainer) txn.erase(keys::container(container));
  txn.erase(keys::purge(entry));
  co_return Result<void>{};
}

Result<PurgeEntry> purge_of(const kv::Row& row) {
  TRY_ASSIGN(const Stamp queued, keys::queued_of_purge(row.key));
  return decode_purge(queued, row.value);
}

}  // namespace

Task<RowPage<PurgeEntry>> list_purges(Cell cell, std::uint32_t limit, std::string from) {
  const auto snapshot = cell.engine.snapshot();
  const std::string prefix = kv::table_prefix(kv::Table::kPurges);
  if (from.empty()) from = prefix;
  CO_TRY_ASSIGN(const auto page, read_prefix(*snapshot, prefix, from, std::clamp<std::uint32_t>(limit, 1, 1'000)));
  co_return decoded_page<PurgeEntry>(page, purge_of);
}

Task<BatchEnd> purge_batch(Cell cell, PurgeEntry entry, std::string from) {
  const ContainerKey container{entry.tenant, entry.container};
  const std::string prefix = entry.kind == PurgeKind::kContainer ? keys::container_rows(container)
                                                                 : keys::upload_rows(container, entry.upload);
  if (from.empty()) from = prefix;
  // Outside of the transaction, which must be short: a container that is being deleted, and an upload whose head is
  // gone, have no other writers, so that what is read here stays true, and nothing appears behind `from`.
  kv::RangePage page;
  {
    const auto snapshot = cell.engine.snapshot();
    CO_TRY_ASSIGN(page, read_prefix(*snapshot, prefix, from, kRowsPerBatch));
  }
  auto body = [&](kv::Transaction& txn) { return purge_in(cell, txn, entry, page); };
  CO_TRY(transact(cell, body));
  if (!page.more) co_return BatchEnd{.progress = Progress::kDone};
  co_return BatchEnd{.next = page.rows.back().key + '\0'};
}

}  // namespace tombolo::meta
