#include "meta/ops/containers.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<meta::Container> Store::get_container(ContainerRef ref) {
  co_return co_await meta::get_container(services_.cell, ref.tenant, std::move(ref.account), std::move(ref.container));
}

}  // namespace tombolo::store
