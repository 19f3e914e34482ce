#include "meta/ops/containers.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<Container> create_in(Cell cell, kv::Transaction& txn, Container container) {
  CO_TRY(txn.guard_exclusive(keys::container(key_of(container))));
  const std::string name_key = keys::container_name(container.account, container.name);
  CO_TRY_ASSIGN(const auto there, txn.get(name_key));
  if (there) co_return Error{Code::kAlreadyExists, "a container of this name exists", "ContainerAlreadyExists"};
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  container.created = container.etag_stamp = now;
  txn.put(name_key, encode(key_of(container)));
  txn.put(keys::container(key_of(container)), encode(container));
  FeedRecord record;
  record.kind = FeedKind::kContainerCreated;
  record.tenant = container.tenant;
  record.container = container.id;
  record.name = container.name;
  record.etag_stamp = now;
  write_feed(cell, txn, record, now);
  co_return container;
}

}  // namespace

Task<Container> create_container(Cell cell, CreateContainer request) {
  CO_CHECK(keys::check_name(request.name));
  CO_CHECK(check_metadata(request.metadata));
  if (request.mode != Mode::kFlat) co_return Error{Code::kUnsupported, "hierarchical containers are not built yet"};
  Container container;
  container.tenant = request.tenant;
  container.account = std::move(request.account);
  container.name = std::move(request.name);
  container.mode = request.mode;
  container.metadata = std::move(request.metadata);
  container.native_remote = std::move(request.native_remote);
  CO_TRY_ASSIGN(container.id, cell.ids.next_id<ContainerId>());
  auto body = [&](kv::Transaction& txn) { return create_in(cell, txn, container); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
