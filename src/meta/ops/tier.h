// What tiering changes in rows: native places, local places. One .cc per operation.
//
// Offload: put_native_intent → remote PUT, read back → set_native. Evict: mark_evicted → clear_local until done.
// Recall: begin_recall → fill_local … → finish_recall. Compaction: move_run. Each reads `i` with conflict: that is the
// compare-and-swap against everybody else.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meta/cell.h"
#include "meta/model/candidate.h"
#include "meta/model/gen.h"
#include "meta/model/native.h"
#include "meta/ops/purge.h"

namespace tombolo::meta {

/// True when an error says that the object or gen that somebody works on is no longer what it was: deleted, replaced,
/// evicted or recalled ("GenMoved", "GenGone", "BlobNotFound"). With kBusy it still is, and only garbage collection
/// looks at it.
bool has_moved(const Error& error);

Task<std::optional<NativeKey>> get_native_key(Cell cell, TenantId tenant, std::string remote, std::string key);
/// Before the remote PUT. Takes over an intent whatever its nonce, and a row whose gen is gone or condemned.
/// kAlreadyExists "NativeKeyInUse" while the row is live for a live gen (another, or this one).
/// `intent.gen`, `remote`, `key`, `nonce` are read. Queues a kNative candidate, so that an offload that nobody resumes
/// leaves nothing behind that judge_native does not find.
Task<void> put_native_intent(Cell cell, TenantId tenant, NativeKey intent);
/// Erases the row if it is in `state` and has this nonce; false otherwise.
Task<bool> erase_native_key(Cell cell, TenantId tenant, std::string remote, std::string key, NativeState state,
                            std::string nonce);
enum class NativeJudged {
  kGone,      // no row, or it is live: the candidate row went
  kIntent,    // an offload may still be under way or be resumed; the candidate was queued anew
  kTooEarly,  // the row has changed since the candidate was queued, which was queued anew as of then
  kDelete,    // the row is kCondemned (now): delete the remote object if it has the nonce, then erase_native_key with
              // kCondemned, then drop_candidate
};
struct NativeVerdict {
  NativeJudged judged = NativeJudged::kGone;
  NativeKey native;  // kDelete
};
/// Looks at a kNative candidate. An intent whose gen is gone or condemned turns kCondemned.
Task<NativeVerdict> judge_native(Cell cell, Candidate candidate);
/// Rows of a remote in key order after `start_after`, for fsck.
Task<std::vector<NativeKey>> list_native_keys(Cell cell, TenantId tenant, std::string remote, std::string start_after,
                                              std::uint32_t limit);

/// Row i gains the native place, row K turns live, if row i is still `expected` byte for byte and row K still the
/// intent with this nonce: else kConditionFailed "GenMoved".
Task<void> set_native(Cell cell, TenantId tenant, Gen expected, NativePlace place, std::string nonce);

/// Says that local places may go: from here on readers fall back to the native place, and no new slice may refer to the
/// gen's sources. Requires a native place: kConditionFailed "GenMoved" otherwise. Gives the token for clear_local.
/// Marking again begins anew.
Task<Stamp> mark_evicted(Cell cell, TenantId tenant, GenId gen);

struct ClearCursor {
  std::uint64_t slice_offset = 0;  // of a gen of slices
  std::uint64_t run_offset = 0;    // in the gen, or in the slice's source
};
struct ClearBatch {
  Progress progress = Progress::kMore;
  ClearCursor cursor;              // for the next batch
  std::uint64_t freed_bytes = 0;   // of run data
  std::uint64_t kept_sources = 0;  // sources that somebody else holds too; they keep their local places
};
/// One batch. kConditionFailed "GenMoved" when the token is no longer the gen's.
Task<ClearBatch> clear_local(Cell cell, TenantId tenant, GenId gen, Stamp token, ClearCursor cursor);

/// Stops an eviction (its token is void) and gives the token for fill_local and finish_recall. kConditionFailed
/// "GenMoved" when the gen is not live.
Task<Stamp> begin_recall(Cell cell, TenantId tenant, GenId gen);
struct FilledRun {
  GenId gen;  // that the m row belongs to: the gen, or a source of its slices
  std::uint64_t offset = 0;
  LocalPlace place;
};
/// At most kRunsPerBatchMax. A row that has a local place already keeps it; gives how many were filled.
Task<std::size_t> fill_local(Cell cell, TenantId tenant, GenId gen, Stamp token, std::vector<FilledRun> runs);
/// The gen, and its sources, are no longer evicted; the native place stays. kConditionFailed "RunsMissing" when a run
/// has no local place yet, "GenMoved" when somebody evicts or recalls the gen since.
Task<void> finish_recall(Cell cell, TenantId tenant, GenId gen, Stamp token);

/// Compaction: the run's local place changes from `from` to `to`. False when the row no longer says `from`, or the gen
/// is not live: then `to` is garbage.
struct MoveRun {
  TenantId tenant;
  GenId gen;
  std::uint64_t offset = 0;
  LocalPlace from, to;
};
Task<bool> move_run(Cell cell, MoveRun move);
/// The same for at most kRunsPerBatchMax runs in one transaction; in their order.
Task<std::vector<bool>> move_runs(Cell cell, std::vector<MoveRun> moves);

}  // namespace tombolo::meta
