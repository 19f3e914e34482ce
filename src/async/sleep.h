// Waiting for time to pass, and not waiting longer than allowed.
#pragma once

#include "async/task.h"
#include "base/clock.h"

namespace tombolo {

/// Real (Asio steady) time, unless the loop's is virtual (virtual_time.h). Cancellation of the waiting task ends it
/// with kCancelled.
Task<void> sleep_for(Duration duration);

}  // namespace tombolo
