#include "meta/ops/containers.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<std::optional<Container>> read_container(kv::Snapshot& from, ContainerKey key) {
  CO_TRY_ASSIGN(const auto value, from.get(keys::container(key)));
  if (!value) co_return std::optional<Container>{};
  CO_CHECK_ASSIGN(Container container, decode_container(key, *value));
  co_return std::optional<Container>(std::move(container));
}

}  // namespace

Task<Container> get_container(Cell cell, TenantId tenant, std::string account, std::string name) {
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(const auto value, snapshot->get(keys::container_name(account, name)));
  if (!value) co_return container_not_found();
  CO_CHECK_ASSIGN(const ContainerKey key, decode_container_link(*value));
  if (key.tenant != tenant) co_return container_not_found();
  CO_TRY_ASSIGN(auto container, read_container(*snapshot, key));
  if (!container) co_return Error{Code::kCorrupt, "the container's name leads to no container"};
  co_return *std::move(container);
}

Task<std::optional<Container>> find_container(Cell cell, ContainerKey key) {
  const auto snapshot = cell.engine.snapshot();
  co_return co_await read_container(*snapshot, key);
}

}  // namespace tombolo::meta
