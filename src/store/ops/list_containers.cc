#include "meta/ops/containers.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<ListContainersPage> Store::list_containers(TenantId tenant, std::string account, ListContainers query) {
  meta::ContainerQuery asked;
  asked.tenant = tenant;
  asked.account = std::move(account);
  asked.prefix = std::move(query.prefix);
  asked.start_after = std::move(query.start_after);
  asked.limit = query.limit;
  CO_TRY_ASSIGN(meta::ContainerPage found, meta::list_containers(services_.cell, std::move(asked)));
  ListContainersPage page;
  page.containers = std::move(found.containers);
  page.next = std::move(found.next);
  co_return page;
}

}  // namespace tombolo::store
