#include "meta/ops/objects.h"
#include "store/ops/resolve.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<meta::Object> Store::set_object_metadata(ObjectRef ref, meta::Metadata metadata, meta::Conditions conditions) {
  CO_TRY_ASSIGN(const meta::ContainerKey container, find_container(services_.cell, std::move(ref.container)));
  co_return co_await meta::set_object_metadata(services_.cell, container, std::move(ref.name), std::move(metadata),
                                               std::move(conditions));
}

}  // namespace tombolo::store
