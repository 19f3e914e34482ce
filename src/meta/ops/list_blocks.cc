#include "meta/ops/block_rows.h"
#include "meta/ops/uploads.h"

namespace tombolo::meta {

Task<BlockListing> list_blocks(Cell cell, ContainerKey container, std::string name) {
  CO_CHECK(keys::check_name(name));
  const auto snapshot = cell.engine.snapshot();
  CO_TRY(read_live_container(*snapshot, container));
  BlockListing out;
  CO_TRY_ASSIGN(out.object, read_object(*snapshot, container, name));
  CO_TRY_ASSIGN(const auto head, read_head(*snapshot, container, name));
  if (!out.object && !has_blocks(head)) co_return blob_not_found();
  if (out.object) {
    CO_TRY_ASSIGN(auto slices, read_committed_blocks(*snapshot, container.tenant, out.object->gen));
    for (Slice& slice : slices) {
      if (!slice.block_id.empty()) out.committed.push_back({std::move(slice.block_id), slice.length});
    }
  }
  if (has_blocks(head)) {
    CO_TRY_ASSIGN(auto blocks, read_staged_blocks(*snapshot, container, head->id));
    for (StagedBlockRow& block : blocks) out.uncommitted.push_back({std::move(block.block_id), block.length});
  }
  co_return out;
}

}  // namespace tombolo::meta
