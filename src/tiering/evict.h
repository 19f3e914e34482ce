// Evict: drops the local places of a gen whose bytes are verified in a remote.
#pragma once

#include "async/stop_asked.h"
#include "meta/model/gen.h"
#include "store/services.h"

namespace tombolo::tiering {

struct Evicted {
  std::uint64_t freed_bytes = 0;   // of runs that lost their local place
  std::uint64_t kept_sources = 0;  // blocks that another object is made of too: they stay on flash
};

/// True when nothing is left for evict_gen to do. kNotFound "GenGone".
Task<bool> is_evicted(store::Services& services, TenantId tenant, meta::Gen gen);

/// True when some bytes of it lie in its native copy only: sources that other objects are made of too may keep them all
/// on flash. kNotFound "GenGone".
Task<bool> needs_remote(store::Services& services, TenantId tenant, meta::Gen gen);

/// Requires a native place. Readers go on: they fall back to it at the next run. Starts over from wherever an earlier
/// eviction was cut off. kConditionFailed "GenMoved" when the gen died, or a recall began meanwhile; kCancelled when
/// asked to stop.
Task<Evicted> evict_gen(store::Services& services, TenantId tenant, GenId gen, StopAsked stop_asked = {});

}  // namespace tombolo::tiering
