#include "meta/ops/containers.h"
#include "store/ops/resolve.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<void> Store::delete_container(ContainerRef ref, meta::Conditions conditions) {
  CO_TRY_ASSIGN(const meta::ContainerKey container, find_container(services_.cell, std::move(ref)));
  co_return co_await meta::delete_container(services_.cell, container, std::move(conditions));
}

}  // namespace tombolo::store
