// recall_gen: the bytes of one evicted gen back to flash.
#pragma once

#include "async/stop_asked.h"
#include "async/task.h"
#include "base/ids.h"

namespace tombolo::store {

struct Services;

struct Recalled {
  std::uint64_t bytes = 0;  // of runs that had no local place
  std::uint64_t runs = 0;
};

/// Every run of the gen (of its slices' sources) that has no local place gets one: fetched, verified, synced, then
/// named, in bounded batches. What an interrupted recall has placed stays and is not fetched again. The native place
/// stays too. kNotFound "GenGone"; kConditionFailed "GenMoved" when an eviction or another recall began meanwhile;
/// kCancelled between two runs; the errors of GenSource and of writing.
Task<Recalled> recall_gen(Services& services, TenantId tenant, GenId gen, StopAsked stop_asked = {});

}  // namespace tombolo::store
