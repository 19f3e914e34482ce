// What the checks compare with, as of the beginning of a round: segments, and the queue of garbage collection.
#include "data/segment_store.h"
#include "meta/ops/walk_rows.h"
#include "tiering/fsck_check.h"

namespace tombolo::tiering {

Task<std::optional<Checking::Segment>> segment_now(Checking& checking, SegmentId id) {
  Checking::Segment segment;
  {
    const auto snapshot = checking.services.cell.engine.snapshot();
    CO_TRY_ASSIGN(const auto value, snapshot->get(data::segment_key(id)));
    if (!value) co_return std::optional<Checking::Segment>{};
    CO_CHECK_ASSIGN(segment.row, data::decode_segment_row(*value));
  }
  segment.sealed = segment.row.state == data::SegmentState::kSealed;
  segment.end = segment.row.file_bytes;
  for (const data::SegmentUse& use : checking.services.segments.uses()) {
    if (use.segment == id && !segment.sealed) segment.end = use.tail;
  }
  co_return std::optional<Checking::Segment>(segment);
}

Task<void> begin_round(Checking& checking) {
  const meta::Cell cell = checking.services.cell;
  checking.segments.clear();
  checking.dying_gens.clear();
  checking.dying_natives.clear();
  checking.dotted.reset();
  const std::vector<data::SegmentUse> uses = checking.services.segments.uses();
  std::vector<data::SegmentInfo> rows;
  {
    const auto snapshot = cell.engine.snapshot();
    CO_TRY_ASSIGN(rows, data::read_segments(*snapshot));
  }
  for (const data::SegmentInfo& info : rows) {
    Checking::Segment& segment = checking.segments[info.segment];
    segment.row = info.row;
    segment.sealed = info.row.state == data::SegmentState::kSealed;
    segment.end = info.row.file_bytes;
  }
  for (const data::SegmentUse& use : uses) {
    const auto segment = checking.segments.find(use.segment);
    if (segment == checking.segments.end()) continue;
    segment->second.used = true;
    if (!segment->second.sealed) segment->second.end = use.tail;
  }
  std::string from;
  do {
    CO_TRY_ASSIGN(const auto page, meta::walk_candidates(cell, from));
    for (const meta::Candidate& candidate : page.rows) {
      if (candidate.kind == meta::CandidateKind::kGen)
        checking.dying_gens.emplace(candidate.tenant, candidate.id);
      else
        checking.dying_natives.emplace(candidate.remote, candidate.key);
    }
    from = page.next;
  } while (!from.empty());
  co_return Result<void>{};
}

}  // namespace tombolo::tiering
