// shrink: the shortest and simplest sequence that still fails.
#pragma once

#include "testing/model/driver.h"

namespace tombolo::testing::model {

/// Delta debugging: takes out ever smaller pieces, then makes what is left simpler, as long as it fails with
/// about the same complaint. At most `runs_max` runs. Requires that `operations` fails.
std::vector<Operation> shrink(const SequenceOptions& options, std::vector<Operation> operations, int runs_max = 2'000);

}  // namespace tombolo::testing::model
