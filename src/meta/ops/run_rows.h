// Changing the local places of m rows under conflict: compaction, eviction and recall meet on the same rows.
#pragma once

#include <vector>

#include "meta/ops/parts.h"

namespace tombolo::meta {

/// The rows of these runs again, in the same order, now read with conflict. nullopt: gone.
Task<std::vector<std::optional<Run>>> reread_runs(kv::Transaction& txn, TenantId tenant, const std::vector<Run>& runs);

}  // namespace tombolo::meta
