// side_by_side: several tasks at once, and on when all have ended.
#pragma once

#include <string>
#include <vector>

#include "async/task.h"

namespace tombolo {

/// Runs them on the caller's executor. What they refer to need only outlive this call: it ends when they have, also
/// when it is cancelled meanwhile, and where it had been cancelled before it starts none. A task's error is logged at
/// warn, with `name`.
Task<void> side_by_side(std::string name, std::vector<Task<void>> tasks);

}  // namespace tombolo
