// Between what each number among the settings may lie.
#pragma once

#include "server/settings.h"

namespace tombolo::server {

/// kInvalid names the setting and its bounds. Whatever passes fits the types that it is turned into: a Duration in
/// microseconds, 32 bits of threads, connections and jobs.
Result<void> check_bounds(const Settings& settings);

}  // namespace tombolo::server
