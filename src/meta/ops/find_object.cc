#include "meta/ops/objects.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<kv::SharedValue> fetch(kv::Snapshot& from, std::string key) {
  CO_TRY_ASSIGN(auto value, from.get(std::move(key)));
  if (!value) co_return nullptr;
  co_return std::make_shared<const std::string>(*std::move(value));
}

}  // namespace

Task<FoundObject> find_object(Cell cell, ObjectAddress address) {
  const auto snapshot = cell.engine.snapshot();
  std::string link_key = keys::container_name(address.account, address.container);
  kv::SharedValue link = snapshot->at_hand(link_key);
  if (!link) {
    CO_TRY_ASSIGN(link, fetch(*snapshot, std::move(link_key)));
  }
  if (!link) co_return container_not_found();
  // A link leads to a live container: whoever ends it takes the link away in the same transaction.
  CO_CHECK_ASSIGN(const ContainerKey container, decode_container_link(*link));
  if (container.tenant != address.tenant) co_return container_not_found();

  CO_CHECK(keys::check_name(address.name));
  std::string object_key = keys::object(container, address.name);
  kv::SharedValue row = snapshot->at_hand(object_key);
  if (!row) {
    CO_TRY_ASSIGN(row, fetch(*snapshot, std::move(object_key)));
  }
  if (!row) co_return blob_not_found();
  CO_CHECK_ASSIGN(Object object, decode_object(std::move(address.name), *row));
  co_return FoundObject{container, std::move(object)};
}

}  // namespace tombolo::meta
