#include "meta/ops/objects.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {

Task<Object> get_object(Cell cell, ContainerKey container, std::string name) {
  CO_CHECK(keys::check_name(name));
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(auto object, read_object(*snapshot, container, std::move(name)));
  if (!object) co_return blob_not_found();
  co_return *std::move(object);
}

}  // namespace tombolo::meta
