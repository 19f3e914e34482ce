#include "meta/ops/containers.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<meta::Container> Store::create_container(ContainerRef ref, meta::Metadata metadata) {
  meta::CreateContainer request;
  request.tenant = ref.tenant;
  request.account = std::move(ref.account);
  request.name = std::move(ref.container);
  request.metadata = std::move(metadata);
  co_return co_await meta::create_container(services_.cell, std::move(request));
}

}  // namespace tombolo::store
