// Gens: intents, runs, reads, and death in two phases (core.md §3). One .cc per operation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meta/cell.h"
#include "meta/model/candidate.h"
#include "meta/model/gen.h"
#include "meta/ops/purge.h"
#include "meta/ops/row_page.h"

namespace tombolo::meta {

/// A staging gen of a live process is left alone this long; then its writer has hung.
inline constexpr std::uint64_t kStagingMicrosMax = 24ull * 3600 * 1'000'000;

/// The intent: row i (staging) and a candidate row, so that a crash leaves nothing that gc cannot find. kAlreadyExists.
Task<void> create_gen(Cell cell, TenantId tenant, GenId gen, GenShape shape);
/// Writes m rows of a staging gen; at most kRunsPerBatchMax. kUnavailable "GenCondemned" when it is not staging.
Task<void> add_runs(Cell cell, TenantId tenant, GenId gen, std::vector<Run> runs);
/// The writer gives up: gc may take the gen at once. No error when it is gone or live.
Task<void> abandon_gen(Cell cell, TenantId tenant, GenId gen);

Task<std::optional<Gen>> get_gen(Cell cell, TenantId tenant, GenId gen);
/// Who holds it, at most `limit`. Not conflicting: a guide, or under the two-phase rule.
Task<std::vector<HolderId>> list_edges(Cell cell, TenantId tenant, GenId gen, std::uint32_t limit);
/// The m rows of the gen itself from the one that holds `offset` on.
Task<std::vector<Run>> list_runs(Cell cell, TenantId tenant, GenId gen, std::uint64_t offset, std::uint32_t limit);
/// The s rows of the gen itself from the one that holds `offset` on.
Task<std::vector<Slice>> list_slices(Cell cell, TenantId tenant, GenId gen, std::uint64_t offset, std::uint32_t limit);

/// Part of a range that lies in one run or inline.
struct ReadPiece {
  std::uint64_t offset = 0;  // in the gen asked for
  std::uint64_t length = 0;
  std::uint64_t skip = 0;    // bytes of the run (or of the inline bytes) before the piece
  std::optional<Run> run;    // nullopt: inline. run->local nullopt: read the native place of the gen asked for,
                             // where the run begins at offset - skip
  std::string inline_bytes;  // whole, of the source gen
  std::uint64_t inline_crc64 = 0;
};
struct ReadPlan {
  Gen gen;                        // as of the same snapshot; its inline bytes are in the piece
  std::vector<ReadPiece> pieces;  // contiguous from the offset asked for; ends early at `pieces_max`
};
struct ReadRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint32_t pieces_max = 16;
};
/// One snapshot; one seek where the range lies in one run. nullopt when the gen is gone. kCorrupt when rows that the
/// gen needs are missing, or the range goes beyond its length.
Task<std::optional<ReadPlan>> plan_read(Cell cell, TenantId tenant, GenId gen, ReadRange range);

struct CandidateQuery {
  unsigned shard = 0;
  Stamp before;               // only what was queued before
  std::uint32_t limit = 100;  // 1 … 1,000 rows
  std::string from = {};      // `next` of the page before
};
/// Both kinds, the oldest first.
Task<RowPage<Candidate>> list_candidates(Cell cell, CandidateQuery asked);
Task<void> drop_candidate(Cell cell, Candidate candidate);
/// Queues it anew, as of `queued`: whoever was queued before that has its turn first.
Task<void> postpone_candidate(Cell cell, Candidate candidate, Stamp queued);

enum class Judged {
  kGone,       // no such gen; the candidate row went
  kHeld,       // edges hold it; the candidate row went (whoever drops the last edge queues it again)
  kStaging,    // its writer is at work; the candidate was queued anew
  kCondemned,  // phase 1 done, or done before; the candidate was queued anew at condemned_at
};
/// Phase 1.
Task<Judged> condemn_gen(Cell cell, Candidate candidate);

enum class Erased {
  kMore,     // a batch of rows went; call again
  kDone,     // rows and candidate are gone
  kRevived,  // an edge was there: live again
  kNotYet,   // not condemned before `condemned_before`
};
/// Phase 2, one bounded batch. Requires a claim on the gen (no reader pins it). Frees local places through the ledger;
/// sources of slices lose their edge and become candidates; a native place turns its K row kCondemned and queues a
/// kNative candidate.
Task<Erased> erase_gen(Cell cell, Candidate candidate, Stamp condemned_before);

}  // namespace tombolo::meta
