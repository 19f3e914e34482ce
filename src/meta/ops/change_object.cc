#include "meta/model/stamp_rules.h"
#include "meta/ops/objects.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

struct NewProperties {
  Change change;
  std::optional<ObjectHeaders> headers;
  std::optional<Metadata> metadata;
  Conditions conditions;
};

Task<Object> change_in(Cell cell, kv::Transaction& txn, ContainerKey key, const std::string& name,
                       const NewProperties& properties) {
  CO_TRY(enter_container(txn, key));
  CO_TRY_ASSIGN(auto object, read_object(txn, key, name));
  if (!object) co_return blob_not_found();
  CO_CHECK(must_pass(properties.conditions, object->etag_stamp));
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  if (properties.headers) object->headers = *properties.headers;
  if (properties.metadata) object->metadata = *properties.metadata;
  move_stamps(*object, properties.change, now);
  txn.put(keys::object(key, name), encode(*object));
  write_object_feed(cell, txn, FeedKind::kObjectChanged, key, *object, now);
  co_return *std::move(object);
}

Task<Object> change_object(Cell cell, ContainerKey container, std::string name, NewProperties properties) {
  CO_CHECK(keys::check_name(name));
  if (properties.metadata) {
    CO_CHECK(check_metadata(*properties.metadata));
  }
  auto body = [&](kv::Transaction& txn) { return change_in(cell, txn, container, name, properties); };
  co_return co_await transact(cell, body);
}

}  // namespace

Task<Object> set_object_headers(Cell cell, ContainerKey container, std::string name, ObjectHeaders headers,
                                Conditions conditions) {
  NewProperties properties;
  properties.change = Change::kSetHeaders;
  properties.headers = std::move(headers);
  properties.conditions = std::move(conditions);
  return change_object(cell, container, std::move(name), std::move(properties));
}

Task<Object> set_object_metadata(Cell cell, ContainerKey container, std::string name, Metadata metadata,
                                 Conditions conditions) {
  NewProperties properties;
  properties.change = Change::kSetMetadata;
  properties.metadata = std::move(metadata);
  properties.conditions = std::move(conditions);
  return change_object(cell, container, std::move(name), std::move(properties));
}

}  // namespace tombolo::meta
