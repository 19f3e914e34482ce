#include "meta/ops/list_objects.h"

#include "store/ops/resolve.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {

Task<ListObjectsPage> Store::list_objects(ContainerRef ref, ListObjects query) {
  CO_TRY_ASSIGN(const meta::ContainerKey container, find_container(services_.cell, std::move(ref)));
  meta::ObjectQuery asked;
  asked.prefix = std::move(query.prefix);
  asked.delimiter = std::move(query.delimiter);
  asked.start_after = std::move(query.start_after);
  asked.start_from = std::move(query.start_from);
  asked.limit = query.limit;
  asked.of = meta::ListOf::kLiveContainer;
  asked.include =
      query.include == Include::kUncommitted ? meta::ListInclude::kUncommitted : meta::ListInclude::kNothing;
  CO_TRY_ASSIGN(meta::ObjectPage found, meta::list_objects(services_.cell, container, std::move(asked)));
  ListObjectsPage page;
  page.entries.reserve(found.entries.size());
  for (meta::ObjectEntry& entry : found.entries) {
    page.entries.push_back({std::move(entry.object), std::move(entry.uncommitted_name), std::move(entry.prefix)});
  }
  page.next = std::move(found.next);
  co_return page;
}

}  // namespace tombolo::store
