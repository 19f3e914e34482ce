// Whole tables in key order, for checks: whatever rows there are, whether anything refers to them or not.
//
// Pages are bounded; each is one snapshot. A row that does not decode is named in `broken` and left out. One .cc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meta/cell.h"
#include "meta/model/candidate.h"
#include "meta/model/container.h"
#include "meta/model/gen.h"
#include "meta/model/native.h"
#include "meta/model/upload.h"
#include "meta/ops/row_page.h"

namespace tombolo::meta {

struct Edge {
  GenId gen;
  HolderId holder;
};
struct RunRow {
  GenId gen;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::optional<LocalPlace> local;
};
struct UploadBlock {
  UploadId upload;
  StagedBlockRow block;
};

/// Every tenant that has any row of names or bytes.
Task<std::vector<TenantId>> list_data_tenants(Cell cell);
/// Every container of the tenant that has any row; also those that no name leads to.
Task<std::vector<ContainerKey>> list_data_containers(Cell cell, TenantId tenant);

/// Rows of a page, at most.
inline constexpr std::uint32_t kWalkRows = 500;
Task<RowPage<Gen>> walk_gens(Cell cell, TenantId tenant, std::string from, std::uint32_t limit = kWalkRows);
Task<RowPage<RunRow>> walk_runs(Cell cell, TenantId tenant, std::string from, std::uint32_t limit = kWalkRows);
Task<RowPage<Edge>> walk_edges(Cell cell, TenantId tenant, std::string from, std::uint32_t limit = kWalkRows);
Task<RowPage<NativeKey>> walk_native_keys(Cell cell, TenantId tenant, std::string from);
Task<RowPage<UploadBlock>> walk_upload_blocks(Cell cell, ContainerKey container, std::string from);
Task<RowPage<Candidate>> walk_candidates(Cell cell, std::string from);

Task<bool> has_edge(Cell cell, TenantId tenant, GenId gen, HolderId holder);

}  // namespace tombolo::meta
