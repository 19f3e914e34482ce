// run_sequence: does a sequence of operations to a World and compares every answer with the Model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "testing/model/operation.h"
#include "testing/model/world.h"

namespace tombolo::testing::model {

struct SequenceOptions {
  EngineKind engine = EngineKind::kMemory;
  std::uint64_t seed = 1;            // of everything that the operations do not say
  bool narrate = false;              // a line an operation on standard error
  std::string forgotten_syncs = {};  // plants a bug: see SimDisk
};

struct Violation {
  std::size_t operation = 0;  // its place in the sequence; the sequence's length: found at the end
  std::string what;
};

struct SequenceStats {
  std::uint64_t operations = 0;
  std::uint64_t crashes = 0;         // machine or process
  std::uint64_t nested_crashes = 0;  // of these, while recovering
  std::uint64_t three_deep = 0;      // deaths whose three next recoveries died too
  std::uint64_t armed = 0;           // deaths scheduled at a step, recoveries included
  std::uint64_t reached = 0;         // of these, those that came
  std::uint64_t faults = 0;          // of disk or remote that happened
  std::uint64_t acknowledged = 0, refused = 0, failed = 0, unknown = 0;  // changes by clients
  SequenceStats& operator+=(const SequenceStats& more);
};

struct SequenceResult {
  std::optional<Violation> violation;
  std::uint64_t trace_hash = 0;  // of every step of the machine and every answer
  SequenceStats stats;
  SitesSteps sites;  // of the operations alone
};

/// Ends with the checks that hold after any sequence: everything acknowledged is there after a power loss, garbage
/// collection comes to rest, fsck finds nothing, space is what lives, and nothing is left once all is deleted. Equal
/// arguments give equal results with EngineKind::kMemory (RocksDB has threads of its own).
SequenceResult run_sequence(const SequenceOptions& options, const std::vector<Operation>& operations);

}  // namespace tombolo::testing::model
