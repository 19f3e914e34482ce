#include "meta/ops/objects.h"
#include "store/ops/resolve.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<meta::Object> Store::head_object(ObjectRef ref, meta::Conditions conditions) {
  CO_TRY_ASSIGN(const meta::ContainerKey container, find_container(services_.cell, std::move(ref.container)));
  CO_TRY_ASSIGN(meta::Object object, meta::get_object(services_.cell, container, std::move(ref.name)));
  CO_CHECK(check_read(conditions, object));
  co_return object;
}

}  // namespace tombolo::store
