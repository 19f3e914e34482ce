#include <algorithm>

#include "meta/ops/containers.h"
#include "meta/ops/list_bytes.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {

Task<ContainerPage> list_containers(Cell cell, ContainerQuery query) {
  const std::uint32_t limit = std::clamp<std::uint32_t>(query.limit, 1, 5'000);
  const auto snapshot = cell.engine.snapshot();
  const std::string prefix = keys::container_names(query.account, query.prefix);
  std::string begin = prefix;
  if (!query.start_after.empty())
    begin = std::max(begin, keys::container_name(query.account, query.start_after) + '\0');
  ContainerPage out;
  std::size_t bytes = 0;
  while (begin < kv::prefix_end(prefix)) {
    CO_TRY_ASSIGN(const auto page, read_prefix(*snapshot, prefix, begin, limit + 1));
    for (const kv::Row& row : page.rows) {
      CO_CHECK_ASSIGN(const ContainerKey key, decode_container_link(row.value));
      if (key.tenant != query.tenant) continue;
      if (out.containers.size() == limit || bytes >= kListBytesMax) {
        out.next = out.containers.back().name;
        co_return out;
      }
      CO_TRY_ASSIGN(const auto value, snapshot->get(keys::container(key)));
      if (!value) co_return Error{Code::kCorrupt, "a container's name leads to no container"};
      CO_CHECK_ASSIGN(Container container, decode_container(key, *value));
      bytes += container.name.size() + container.native_remote.size() + metadata_bytes(container.metadata);
      out.containers.push_back(std::move(container));
    }
    if (!page.more) break;
    begin = page.rows.back().key + '\0';
  }
  co_return out;
}

}  // namespace tombolo::meta
