// generate: random sequences, mild at first.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "testing/model/operation.h"

namespace tombolo::testing::model {

/// The same for the same seed on any machine. About 64 operations, at least one of them a crash.
std::vector<Operation> generate(std::uint64_t seed);

/// What an operation of this kind needs, drawn as in generate(): all but its key.
void fill_in(Operation& operation, SeededRandom& random);

}  // namespace tombolo::testing::model
