// run_history: several clients at once on one simulated cell, with upkeep and deaths, and the check of what they heard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "testing/model/world.h"

namespace tombolo::testing::linearize {

struct RunOptions {
  model::EngineKind engine = model::EngineKind::kMemory;
  std::uint64_t seed = 1;  // of everything
  bool narrate = false;    // every step, on standard error
};

struct RunStats {
  std::uint64_t operations = 0;  // by clients, with an answer or without
  std::uint64_t steps = 0;       // of single names: a listing looks at all of them
  std::uint64_t acknowledged = 0, refused = 0, unknown = 0, reads = 0;
  std::uint64_t busy = 0;  // asked for nothing: too many competed
  std::uint64_t crashes = 0, crashes_under_way = 0, restarts = 0;
  std::uint64_t jobs = 0, jobs_failed = 0, objects_moved = 0, passes = 0;
  RunStats& operator+=(const RunStats& more);
};

struct RunResult {
  std::optional<std::string> violation;
  std::uint64_t trace_hash = 0;
  RunStats stats;
};

/// About 400 operations in two to four lives. Equal options give equal results with EngineKind::kMemory.
RunResult run_history(const RunOptions& options);

}  // namespace tombolo::testing::linearize
