#include "meta/ops/objects.h"
#include "store/ops/resolve.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<void> Store::delete_object(ObjectRef ref, meta::Conditions conditions) {
  const meta::Cell cell = services_.cell;
  CO_TRY_ASSIGN(const meta::ContainerKey container, find_container(cell, std::move(ref.container)));
  const auto once = [&](int) { return meta::delete_object(cell, container, ref.name, conditions); };
  co_return co_await while_sealed(cell.random, once);
}

}  // namespace tombolo::store
