// Segments: those without live bytes go; those with many dead ones are emptied first.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "data/segment_store.h"
#include "tiering/collect.h"
#include "tiering/compact_segment.h"

namespace tombolo::tiering {
namespace {

struct Victim {
  SegmentId segment;
  std::int64_t live = 0;
  std::uint64_t dead = 0;
};

struct Survey {
  std::vector<SegmentId> empty;
  std::vector<Victim> victims;  // the cheapest gain first
  bool rotate = false;          // the open segment has stood still, and is worth emptying
};

Task<Survey> survey(Collecting& collecting) {
  data::SegmentStore& segments = collecting.services.segments;
  // The uses first: what was placed after them makes a segment look fuller than it is, never emptier.
  const std::vector<data::SegmentUse> uses = segments.uses();
  std::vector<data::SegmentInfo> rows;
  {
    const auto snapshot = collecting.services.cell.engine.snapshot();
    CO_TRY_ASSIGN(rows, data::read_segments(*snapshot));
  }
  Survey found;
  SegmentId open;
  std::uint64_t open_tail = 0;
  for (const data::SegmentUse& use : uses) {
    const auto row =
        std::lower_bound(rows.begin(), rows.end(), use.segment,
                         [](const data::SegmentInfo& info, SegmentId segment) { return info.segment < segment; });
    if (row == rows.end() || row->segment != use.segment || row->live_bytes < 0) continue;
    const auto live = static_cast<std::uint64_t>(row->live_bytes);
    const std::uint64_t used = use.tail - std::min(use.tail, data::kSegmentHeaderBytes);
    const std::uint64_t dead = used - std::min(used, live);
    const bool many_dead = dead * 100 > used * collecting.options.compact_dead_percent;
    if (use.open) {
      const bool stood_still = collecting.open_segment == use.segment && collecting.open_tail == use.tail;
      found.rotate = found.rotate || (many_dead && stood_still);
      if (open < use.segment) {
        open = use.segment;
        open_tail = use.tail;
      }
    } else if (use.compactable && live == 0) {
      found.empty.push_back(use.segment);
    } else if (use.compactable && many_dead) {
      found.victims.push_back({use.segment, row->live_bytes, dead});
    }
  }
  std::erase_if(collecting.stuck, [&found](const auto& stuck) {
    return std::none_of(found.victims.begin(), found.victims.end(),
                        [&stuck](const Victim& victim) { return victim.segment == stuck.first; });
  });
  collecting.open_segment = open;
  collecting.open_tail = open_tail;
  std::sort(found.victims.begin(), found.victims.end(), [](const Victim& a, const Victim& b) {
    return static_cast<double>(a.live) / static_cast<double>(a.dead + 1) <
           static_cast<double>(b.live) / static_cast<double>(b.dead + 1);
  });
  co_return found;
}

Task<bool> release(data::SegmentStore& segments, SegmentId segment) {
  const auto released = co_await segments.release(segment);
  if (released.ok()) co_return true;
  const Code code = released.error().code;
  if (code != Code::kBusy && code != Code::kConditionFailed && code != Code::kNotFound) co_return released.error();
  co_return false;  // in use again, or gone: the next survey tells
}

/// Gives back the files of all that is released.
Task<void> reap(Collecting& collecting, Pass& pass) {
  CO_TRY_ASSIGN(const data::ReapReport reaped, collecting.services.segments.reap());
  CollectorStats done;
  done.segments_freed = reaped.files;
  collecting.count(done);
  pass.changed = pass.changed || reaped.files > 0;
  if (reaped.failed) pass.note(*reaped.failed);
  co_return Result<void>{};
}

/// Releases `empty`, and gives their files back.
Task<void> free_empty(Collecting& collecting, Pass& pass, const std::vector<SegmentId>& empty) {
  for (const SegmentId segment : empty) {
    CO_TRY_ASSIGN(const bool released, release(collecting.services.segments, segment));
    pass.changed = pass.changed || released;
  }
  co_return co_await reap(collecting, pass);
}

/// Empties one, and gives its file back at once where it can: the next one may need the room.
Task<void> compact_one(Collecting& collecting, Pass& pass, const Victim& victim, CollectorStats& done) {
  const StopAsked stop_asked = [&collecting] { return collecting.stopping.load(); };
  const auto compacted = co_await compact_segment(collecting.services, victim.segment, stop_asked);
  const bool unreadable = !compacted.ok() && compacted.error().code == Code::kCorrupt;
  if (!compacted.ok() && !unreadable) co_return compacted.error();
  if (compacted.ok() && compacted->runs > 0) {
    ++done.segments_compacted;
    done.bytes_moved += compacted->bytes;
    CO_TRY_ASSIGN(const bool released, release(collecting.services.segments, victim.segment));
    CO_TRY(reap(collecting, pass));
    if (released) co_return Result<void>{};
  }
  if (compacted.ok() && compacted->stopped) co_return *compacted->stopped;
  if (unreadable || compacted->damaged > 0) {  // the device may have failed for a moment only
    log(LogLevel::kWarn, "tiering", "segment {:016x} cannot be emptied{}{}; `tombolo fsck` tells more",
        victim.segment.value, unreadable ? ": " : "", unreadable ? compacted.error().message : "");
    collecting.segments_put_off.failed(victim.segment, collecting.services.cell.clock.steady());
  } else if (compacted->runs == 0) {
    collecting.stuck[victim.segment] = victim.live;  // nothing to be had here until something in it dies
  }
  co_return Result<void>{};
}

bool is_stuck(const Collecting& collecting, const Victim& victim) {
  if (collecting.segments_put_off.holds(victim.segment, collecting.services.cell.clock.steady())) return true;
  const auto found = collecting.stuck.find(victim.segment);
  return found != collecting.stuck.end() && found->second == victim.live;
}

Task<void> compact(Collecting& collecting, Pass& pass, const std::vector<Victim>& victims) {
  CollectorStats done;
  Result<void> result;
  for (const Victim& victim : victims) {
    if (done.bytes_moved >= collecting.options.compact_bytes_max || collecting.stopping) break;
    if (is_stuck(collecting, victim)) continue;
    result = co_await compact_one(collecting, pass, victim, done);
    if (result.ok()) continue;
    if (result.error().code == Code::kCancelled) break;
    collecting.tell(fmt::format("segment {:016x} is emptied later: {}", victim.segment.value, result.error().message));
    if (result.error().code == Code::kNoSpace) break;  // the others have no more room; whatever else may be its own
  }
  collecting.count(done);
  pass.changed = pass.changed || done.segments_compacted > 0;
  if (!victims.empty()) {
    CO_TRY(collecting.services.segments.rotate(kv::Purpose::kFreesSpace));  // gives back what it had reserved
  }
  if (!result.ok() && result.error().code == Code::kCancelled) co_return result.error();
  co_return Result<void>{};
}

}  // namespace

Task<void> free_segments(Collecting& collecting, Pass& pass) {
  CO_TRY_ASSIGN(const Survey found, survey(collecting));
  co_return co_await free_empty(collecting, pass, found.empty);
}

Task<void> collect_segments(Collecting& collecting, Pass& pass) {
  CO_TRY_ASSIGN(const Survey found, survey(collecting));
  if (found.rotate) {
    CO_TRY(collecting.services.segments.rotate());
    pass.changed = true;
  }
  const Result<void> freed = co_await free_empty(collecting, pass, found.empty);
  if (!freed.ok() && freed.error().code == Code::kCancelled) co_return freed.error();
  pass.note(freed);  // one that stays keeps no segment from being compacted
  CO_TRY(compact(collecting, pass, found.victims));
  co_return co_await reap(collecting, pass);  // compaction's last ones, once no reader pins them
}

}  // namespace tombolo::tiering
