// How segments go: released, and their files removed once the log's mark covers it and no one reads them.
#include "base/endian.h"
#include "base/planted_bugs.h"
#include "data/segment_store_state.h"
#include "kv/run.h"

namespace tombolo::data {

namespace {

Task<void> put_freeing(kv::Transaction& txn, SegmentId id) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto value, txn.get(segment_key(id)));
  if (!value) co_return Error{Code::kNotFound, "the segment has no row"};
  CO_CHECK_ASSIGN(SegmentRow row, decode_segment_row(*value));
  CO_TRY_ASSIGN(const auto live, txn.get(segment_live_key(id)));
  if (live && (live->size() != 8 || load_le<std::int64_t>(live->data()) != 0)) {
    co_return Error{Code::kConditionFailed, "the segment still has live bytes"};
  }
  row.state = SegmentState::kFreeing;
  txn.put(segment_key(id), encode(row));
  co_return Result<void>{};
}

Task<void> erase_row(kv::Transaction& txn, SegmentId id) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  txn.erase(segment_key(id));
  co_return Result<void>{};
}

}  // namespace

Task<kv::Sequence> SegmentStore::State::mark_freeing(SegmentId id) {
  auto body = [id](kv::Transaction& txn) { return put_freeing(txn, id); };
  co_return co_await kv::run(engine, random, std::move(body));
}

Task<void> SegmentStore::State::forget(SegmentId id) {
  auto body = [id](kv::Transaction& txn) { return erase_row(txn, id); };
  CO_TRY(kv::run(engine, random, std::move(body)));
  co_return Result<void>{};
}

Task<void> SegmentStore::release(SegmentId id) {
  const auto segment = state_->find(id);
  if (!segment) co_return Error{Code::kNotFound, "there is no such segment"};
  {
    const std::lock_guard lock(segment->mutex);
    if (segment->life == Life::kReleased || segment->life == Life::kGone) {
      co_return Error{Code::kNotFound, segment->name() + " is released already"};
    }
    if (segment->life == Life::kOpen || segment->unresolved > 0 || segment->active_writers > 0) {
      co_return Error{Code::kBusy, segment->name() + " is still being written"};
    }
  }
  CO_TRY_ASSIGN(const kv::Sequence freed_at, state_->mark_freeing(id));
  const std::lock_guard lock(segment->mutex);
  segment->life = Life::kReleased;
  segment->freed_at = freed_at.value;
  co_return Result<void>{};
}

Task<ReapReport> SegmentStore::reap() {
  CO_TRY(state_->rescue_all());
  CO_TRY_ASSIGN(const auto turn, state_->reaping.lock());
  ReapReport report;
  const std::uint64_t mark = state_->engine.durable_through().value;
  std::vector<std::shared_ptr<Segment>> going;
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [id, segment] : state_->segments) {
      const std::lock_guard segment_lock(segment->mutex);
      if (segment->life != Life::kReleased && segment->life != Life::kGone) continue;
      const bool pinned = segment->pins > 0 && !planted(PlantedBug::free_segment_under_reader);
      const bool unmarked = segment->freed_at > mark && !planted(PlantedBug::free_segment_before_mark);
      if (pinned || unmarked) {
        ++report.waiting;
        continue;
      }
      segment->life = Life::kGone;
      segment->file.reset();
      state_->idle->take(id);
      going.push_back(segment);
    }
  }
  std::vector<std::shared_ptr<Segment>> gone;
  for (const auto& segment : going) {
    const auto removed = co_await state_->disk.remove(segment_path(segment->id));
    if (removed.ok() || removed.error().code == Code::kNotFound) {
      gone.push_back(segment);
    } else if (!report.failed) {
      report.failed = removed.error();
    }
  }
  if (!gone.empty()) {
    CO_TRY(state_->disk.sync_directory(std::string(kSegmentsDirectory)));
  }
  for (const auto& segment : gone) {
    CO_TRY(state_->forget(segment->id));
    ++report.files;
    const std::lock_guard lock(state_->mutex);
    const std::lock_guard segment_lock(segment->mutex);
    report.bytes += segment->tail;
    state_->segments.erase(segment->id);
  }
  co_return report;
}

}  // namespace tombolo::data
