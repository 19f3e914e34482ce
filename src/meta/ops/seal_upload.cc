#include "base/planted_bugs.h"
#include "meta/ops/parts.h"
#include "meta/ops/uploads.h"

namespace tombolo::meta {
namespace {

/// Gives the upload that is sealed now.
Task<UploadId> seal_in(Cell cell, kv::Transaction& txn, UploadId fresh, const UploadSeal& seal) {
  CO_TRY(enter_container(txn, seal.container));
  CO_TRY_ASSIGN(const auto there, read_head(txn, seal.container, seal.name));
  if (there && seal_holds(cell, *there)) co_return upload_sealed();
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  UploadHead head = there.value_or(UploadHead{.id = fresh, .created = now, .touched = now});
  head.state = planted(PlantedBug::commit_without_seal) ? UploadState::kOpen : UploadState::kSealed;
  head.seal_epoch = cell.ids.process_epoch();
  head.seal_id = seal.seal_id;
  head.sealed_at = now;
  txn.put(keys::upload_head(seal.container, seal.name), encode(head));
  co_return head.id;
}

Task<void> unseal_in(kv::Transaction& txn, const UploadSeal& seal) {
  txn.set_purpose(kv::Purpose::kFreesSpace);  // what was staged may be what fills the disk
  CO_TRY(txn.guard_shared(keys::container(seal.container)));
  CO_TRY_ASSIGN(auto head, read_head(txn, seal.container, seal.name));
  const bool ours =
      head && head->state == UploadState::kSealed && head->id == seal.upload && head->seal_id == seal.seal_id;
  if (!ours) co_return Result<void>{};
  const std::string key = keys::upload_head(seal.container, seal.name);
  if (has_blocks(head)) {
    head->state = UploadState::kOpen;
    txn.put(key, encode(*head));
  } else {
    txn.erase(key);
  }
  co_return Result<void>{};
}

}  // namespace

Task<UploadSeal> seal_upload(Cell cell, ContainerKey container, std::string name) {
  CO_CHECK(keys::check_name(name));
  CO_TRY_ASSIGN(const UploadId fresh, cell.ids.next_id<UploadId>());
  UploadSeal seal{.container = container, .name = std::move(name)};
  CO_TRY_ASSIGN(seal.seal_id, cell.ids.next());
  seal.hold = cell.seals.hold(seal.seal_id, cell.clock.steady());
  auto body = [&](kv::Transaction& txn) { return seal_in(cell, txn, fresh, seal); };
  CO_TRY_ASSIGN(seal.upload, transact(cell, body));
  co_return seal;
}

Task<void> unseal_upload(Cell cell, UploadSeal seal) {
  auto body = [&](kv::Transaction& txn) { return unseal_in(txn, seal); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
