#include "meta/ops/objects.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<void> delete_in(Cell cell, kv::Transaction& txn, ContainerKey key, const std::string& name,
                     const Conditions& conditions) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY(enter_container(txn, key));
  CO_TRY_ASSIGN(const auto head, read_head(txn, key, name));
  if (head && seal_holds(cell, *head)) co_return upload_sealed();
  CO_TRY_ASSIGN(const auto before, read_object(txn, key, name));
  if (!before && !has_blocks(head)) co_return blob_not_found();
  CO_CHECK(must_pass(conditions, before ? std::optional(before->etag_stamp) : std::nullopt));
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  if (head) drop_upload(txn, key, name, *head, now);
  if (before) {
    drop_edge(txn, key.tenant, before->gen, before->holder, now);
    txn.erase(keys::object(key, name));
    write_object_feed(cell, txn, FeedKind::kObjectDeleted, key, *before, now);
    count_usage(txn, key, before->id, -1, -static_cast<std::int64_t>(before->length));
  }
  co_return Result<void>{};
}

}  // namespace

Task<void> delete_object(Cell cell, ContainerKey container, std::string name, Conditions conditions) {
  CO_CHECK(keys::check_name(name));
  auto body = [&](kv::Transaction& txn) { return delete_in(cell, txn, container, name, conditions); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
