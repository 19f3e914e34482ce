// run_at_most: a blocking call that nobody waits for longer than allowed.
#pragma once

#include <functional>

#include "base/clock.h"

namespace tombolo::server {

/// Runs `work` on a thread of its own and waits for its end, blocking, but no longer than `limit`: it then goes on for
/// nobody, so it owns all that it needs. Whether it has ended.
bool run_at_most(Duration limit, std::function<void()> work);

}  // namespace tombolo::server
