#include "meta/ops/uploads.h"
#include "store/ops/resolve.h"
#include "store/services.h"
#include "store/store.h"

namespace tombolo::store {
namespace {

std::vector<BlockInfo> infos(std::vector<meta::BlockInfo> rows) {
  std::vector<BlockInfo> out;
  out.reserve(rows.size());
  for (meta::BlockInfo& row : rows) out.push_back({std::move(row.block_id), row.length});
  return out;
}

}  // namespace

Task<BlockList> Store::get_block_list(ObjectRef ref) {
  CO_TRY_ASSIGN(const meta::ContainerKey container, find_container(services_.cell, std::move(ref.container)));
  CO_TRY_ASSIGN(meta::BlockListing found, meta::list_blocks(services_.cell, container, std::move(ref.name)));
  BlockList list;
  list.object = std::move(found.object);
  list.committed = infos(std::move(found.committed));
  list.uncommitted = infos(std::move(found.uncommitted));
  co_return list;
}

}  // namespace tombolo::store
