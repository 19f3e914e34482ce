#include "meta/ops/containers.h"
#include "store/ops/resolve.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<meta::Container> Store::set_container_metadata(ContainerRef ref, meta::Metadata metadata,
                                                    meta::Conditions conditions) {
  CO_TRY_ASSIGN(const meta::ContainerKey container, find_container(services_.cell, std::move(ref)));
  meta::ChangeContainer change;
  change.metadata = std::move(metadata);
  co_return co_await meta::change_container(services_.cell, container, std::move(change), std::move(conditions));
}

}  // namespace tombolo::store
