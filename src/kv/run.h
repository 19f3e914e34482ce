// kv::run: runs a transaction body until it commits; the only caller of Transaction::commit outside kv/ and its tests.
#pragma once

#include <functional>

#include "base/random.h"
#include "kv/kv.h"

namespace tombolo::kv {

struct RunOptions {
  int tries_max = 50;  // after which kBusy: the rows are too contended
};

/// Calls `body(txn)` (a Task<void>; it may run several times: no side effects but on `txn` and on variables that it
/// resets itself) and commits. A body's error ends it uncommitted, except kConflict, which runs it again like a
/// conflicting commit, after a jittered delay. Where the engine's commit outcome can be unknown it stores an operation
/// id of its own drawing and looks for it before a rerun; a body that then fails has its earlier tries fenced, so that
/// its error is true. Gives the commit's sequence (after an unknown outcome, one at or after it). kUnknownOutcome is
/// left only when the engine stops answering.
Task<Sequence> run(Engine& engine, Random& random, std::function<Task<void>(Transaction&)> body,
                   RunOptions options = {});

}  // namespace tombolo::kv
