// pin_gen: keeps a gen from garbage collection while something in the background works on it.
#pragma once

#include <optional>

#include "store/services.h"

namespace tombolo::tiering {

/// Waits while garbage collection looks at the gen, about `wait_max` (and 2 s at least: it also claims gens that it
/// then leaves alone). nullopt: the gen is gone or condemned, so its object was changed meanwhile. kBusy: still
/// claimed.
Task<std::optional<store::GenPins::Handle>> pin_gen(store::Services& services, TenantId tenant, GenId gen,
                                                    Duration wait_max);

}  // namespace tombolo::tiering
