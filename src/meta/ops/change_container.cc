#include "meta/ops/containers.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<Container> change_in(Cell cell, kv::Transaction& txn, ContainerKey key, const ChangeContainer& change,
                          const Conditions& conditions) {
  CO_TRY_ASSIGN(Container container, enter_container_alone(txn, key));
  CO_CHECK(must_pass(conditions, container.etag_stamp));
  if (change.metadata) container.metadata = *change.metadata;
  if (change.native_remote) container.native_remote = *change.native_remote;
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  container.etag_stamp = now;
  txn.put(keys::container(key), encode(container));
  FeedRecord record;
  record.kind = FeedKind::kContainerChanged;
  record.tenant = key.tenant;
  record.container = key.id;
  record.name = container.name;
  record.etag_stamp = now;
  write_feed(cell, txn, record, now);
  co_return container;
}

}  // namespace

Task<Container> change_container(Cell cell, ContainerKey key, ChangeContainer change, Conditions conditions) {
  if (change.metadata) {
    CO_CHECK(check_metadata(*change.metadata));
  }
  auto body = [&](kv::Transaction& txn) { return change_in(cell, txn, key, change, conditions); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
