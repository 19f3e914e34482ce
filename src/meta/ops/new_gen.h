// NewGen: the bytes that a publishing transaction (put, stage block, commit) gives a name to.
#pragma once

#include <vector>

#include "meta/cell.h"
#include "meta/model/gen.h"

namespace tombolo::meta {

enum class GenOrigin {
  kFresh,   // no row yet: the transaction writes row i and all runs at once (no intent, nothing to clean up)
  kStaged,  // create_gen wrote the intent; add_runs or write_slices may have written rows
};

/// `gen.id`, `shape`, `length`, `crc64` and `inline_bytes` are read; state, epoch and stamps are set by the operation.
/// `runs` are the rows still to be written, at most kRunsPerBatchMax; those of kFresh must cover the gen.
struct NewGen {
  GenOrigin origin = GenOrigin::kFresh;
  Gen gen;
  std::vector<Run> runs;
};

}  // namespace tombolo::meta
