#include "meta/ops/containers.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<void> delete_in(Cell cell, kv::Transaction& txn, ContainerKey key, const Conditions& conditions) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(Container container, enter_container_alone(txn, key));
  CO_CHECK(must_pass(conditions, container.etag_stamp));
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  container.state = ContainerState::kDeleting;
  txn.put(keys::container(key), encode(container));
  txn.erase(keys::container_name(container.account, container.name));
  const PurgeEntry entry{
      .queued = now, .kind = PurgeKind::kContainer, .tenant = key.tenant, .container = key.id, .upload = {}};
  txn.put(keys::purge(entry), encode(entry));
  FeedRecord record;
  record.kind = FeedKind::kContainerDeleted;
  record.tenant = key.tenant;
  record.container = key.id;
  record.name = container.name;
  record.etag_stamp = container.etag_stamp;
  write_feed(cell, txn, record, now);
  co_return Result<void>{};
}

}  // namespace

Task<void> delete_container(Cell cell, ContainerKey key, Conditions conditions) {
  auto body = [&](kv::Transaction& txn) { return delete_in(cell, txn, key, conditions); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
