// Reads of block lists that resolve_blocks and list_blocks share.
#pragma once

#include <vector>

#include "meta/ops/parts.h"

namespace tombolo::meta {

/// Staged blocks of an upload in the order of their ids.
Task<std::vector<StagedBlockRow>> read_staged_blocks(kv::Snapshot& from, ContainerKey container, UploadId upload);
/// All slices of a gen in order; none where it is not of that shape.
Task<std::vector<Slice>> read_committed_blocks(kv::Snapshot& from, TenantId tenant, GenId gen);

}  // namespace tombolo::meta
