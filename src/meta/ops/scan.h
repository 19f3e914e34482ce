// Every row of a tenant's byte tables, page by page: what fsck walks. Each page is a snapshot of its own, so that a
// walk may meet a gen and miss its runs: look again (plan_read, get_gen) before calling anything broken.
#pragma once

#include <vector>

#include "meta/cell.h"
#include "meta/keys/keys.h"
#include "meta/model/gen.h"

namespace tombolo::meta {

/// Rows behind `after` (a default one: from the start) in key order, at most `limit` (1 … 1,000).
Task<std::vector<Gen>> scan_gens(Cell cell, TenantId tenant, GenId after, std::uint32_t limit);
Task<std::vector<keys::EdgeEnds>> scan_edges(Cell cell, TenantId tenant, keys::EdgeEnds after, std::uint32_t limit);

struct RunsAfter {
  GenId gen;
  std::uint64_t offset = 0;
};
/// `after` nullopt: from the start.
Task<std::vector<Run>> scan_runs(Cell cell, TenantId tenant, std::optional<RunsAfter> after, std::uint32_t limit);

}  // namespace tombolo::meta
