// The committer: how waiting transactions become groups, and groups durable.
#include "async/sleep.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/planted_bugs.h"
#include "kv/log/log_engine.h"

namespace tombolo::kv {

namespace {

constexpr Duration kSpaceAgeMax = std::chrono::seconds(1);
constexpr Duration kLowFlushEvery = std::chrono::seconds(5);
constexpr Duration kHoldRetry = std::chrono::milliseconds(50);

/// At least what the request takes in a group's payload.
std::size_t cost(const CommitRequest& request) {
  return request.bytes + 16 * request.writes.size() + 8;
}

}  // namespace

// ---- the queue ----

Result<bool> LogEngine::enqueue(CommitRequest request, const OneShot<Sequence>& done) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return Error{Code::kUnavailable, "the cell has stopped: " + stopped_->message};
  if (stalled_) return Error{stalled_->code, "commits wait until the cell has recovered: " + stalled_->message};
  if (closing_) return Error{Code::kUnavailable, "the cell is closing"};
  const std::size_t bytes = cost(request);
  if (queue_.size() >= options_.queue_transactions_max || queue_bytes_ + bytes > options_.queue_bytes_max) {
    return Error{Code::kBusy, "too many commits are waiting; try again later"};
  }
  queue_bytes_ += bytes;
  queue_.push_back({std::move(request), done});
  return !std::exchange(running_, true);
}

Task<Sequence> LogEngine::submit(CommitRequest request) {
  OneShot<Sequence> done;
  CO_CHECK_ASSIGN(const bool start, enqueue(std::move(request), done));
  if (start) ASSERT(work_.spawn(executor_, drain()));
  co_return co_await done.wait();
}

LogEngine::Step LogEngine::next_step(std::deque<Pending>& batch) {
  std::optional<OneShot<void>> idle;
  {
    const std::lock_guard lock(mutex_);
    std::size_t bytes = 0;
    while (!queue_.empty()) {
      const std::size_t next = cost(queue_.front().request);
      if (!batch.empty() && bytes + next > options_.group_bytes_max) break;
      bytes += next;
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    queue_bytes_ -= bytes;
    const bool wanted = std::exchange(mark_wanted_, false);  // a group is about to mark what came before it
    if (!batch.empty()) return Step::kCommit;
    if (wanted) return Step::kMark;
    if (!mark_timer_ && !closing_ && !stopped_ && log_->durable_through() < committed()) {
      mark_timer_ = true;
      return Step::kStartTimer;
    }
    running_ = false;
    idle.swap(idle_);
  }
  if (idle) idle->set({});
  return Step::kEnd;
}

/// The committer: one at a time, until nothing waits.
Task<void> LogEngine::drain() {
  for (;;) {
    std::deque<Pending> batch;
    switch (next_step(batch)) {
      case Step::kCommit: {
        CO_TRY(commit_batch(std::move(batch)));
        start_flush_if_due();
        break;
      }
      case Step::kMark: {
        const auto marked = co_await log_->mark();
        std::vector<Acknowledgement> nobody;
        if (!marked.ok() && log_->fenced()) stop_for_good(marked.error(), nobody);  // else the timer tries again
        if (mark_fails_.exchange(!marked.ok()) == marked.ok()) note_mark(marked);
        break;
      }
      case Step::kStartTimer:
        timers_.spawn(executor_, mark_when_idle());
        break;
      case Step::kEnd:
        co_return Result<void>{};
    }
  }
}

void LogEngine::note_mark(const Result<void>& marked) {
  if (marked.ok()) log(LogLevel::kWarn, "kv", "the commit log is marked again");
  if (!marked.ok()) {
    log(LogLevel::kWarn, "kv", "the commit log could not be marked, trying again: {}; until then no segment is freed",
        to_string(marked.error()));
  }
}

// ---- one group ----

Task<void> LogEngine::look_at_space() {
  const SteadyTime now = clock_.steady();
  if (space_seen_ && now - *space_seen_ < kSpaceAgeMax) {
    // A new file took the spare one, and no other could be made: what room is left is for what frees space.
    note_space(space_is_low_ || !log_->has_spare(), now);
    co_return Result<void>{};
  }
  const auto spare = co_await log_->prepare_spare();
  const auto space = co_await disk_.space();
  space_seen_ = now;
  note_space(!spare.ok() || (space.ok() && space->free_bytes < options_.free_bytes_min), now);
  co_return Result<void>{};
}

void LogEngine::note_space(bool low, SteadyTime now) {
  if (space_is_low_.exchange(low) != low) {
    log(LogLevel::kWarn, "kv", "{}",
        low ? "disk space is low: only what frees space is committed" : "disk space is back");
  }
  // While there is still room for it: one that is begun too late may be refused, and then no log file goes.
  if (!low || committed_ == flushed_ || (low_flush_at_ && now - *low_flush_at_ < kLowFlushEvery)) return;
  low_flush_at_ = now;
  start_flush();
}

void LogEngine::refuse_without_space(std::deque<Pending>& batch) const {
  if (!space_is_low_) return;
  std::deque<Pending> admitted;
  for (auto& pending : batch) {
    if (pending.request.purpose == Purpose::kFreesSpace) {
      admitted.push_back(std::move(pending));
    } else {
      pending.done.set(Error{Code::kNoSpace, "the disk is nearly full; deletes still work and free space"});
    }
  }
  batch.swap(admitted);
}

Task<void> LogEngine::load_counters(const std::deque<Pending>& batch, Counters& counters) {
  for (const auto& pending : batch) Sequencer::collect_counters(pending.request, counters);
  if (counters.empty()) co_return Result<void>{};
  std::vector<std::string> keys;
  for (const auto& [key, value] : counters) keys.push_back(key);
  const auto rows = index_->snapshot();
  CO_TRY_ASSIGN(auto values, rows->multi_get(keys));
  for (std::size_t i = 0; i < keys.size(); ++i) counters[keys[i]] = std::move(values[i]);
  co_return Result<void>{};
}

Task<void> LogEngine::commit_batch(std::deque<Pending> batch) {
  CO_TRY(look_at_space());
  refuse_without_space(batch);
  Counters counters;
  std::size_t payload_bytes = 0;
  for (const auto& pending : batch) payload_bytes += cost(pending.request);
  auto ready = co_await load_counters(batch, counters);
  if (ready.ok() && !batch.empty()) ready = co_await log_->make_room(payload_bytes);
  if (!ready.ok()) {
    for (const auto& pending : batch) pending.done.set(ready.error());
    std::vector<Acknowledgement> nobody;
    if (log_->fenced()) stop_for_good(ready.error(), nobody);
    co_return Result<void>{};
  }
  const SteadyTime now = clock_.steady();
  std::vector<LogEntry> group;
  std::vector<Acknowledgement> waiting;
  for (auto& pending : batch) {
    auto entry = sequencer_->admit(std::move(pending.request), counters, now);
    if (!entry.ok()) {
      if (entry.error().code == Code::kConflict) ++conflicts_;
      pending.done.set(std::move(entry).error());
      continue;
    }
    waiting.push_back({entry->sequence, pending.done});
    group.push_back(*std::move(entry));
  }
  if (group.empty()) co_return Result<void>{};
  if (planted(PlantedBug::acknowledge_before_sync)) {
    for (const auto& early : waiting) early.done.set(early.sequence);
  }
  CO_TRY_ASSIGN(const bool persisted, persist(group, waiting));
  if (!persisted) co_return Result<void>{};
  committed_.store(group.back().sequence.value, std::memory_order_release);
  heal();
  sequencer_->forget(live_reads_.oldest(committed()), now);
  for (const auto& acknowledgement : waiting) acknowledgement.done.set(acknowledgement.sequence);
  co_return Result<void>{};
}

/// Logged, synced and applied when it gives true; false when the cell has stopped. Whoever cannot be told the truth in
/// time is told that the outcome is unknown, and removed from `waiting`.
Task<bool> LogEngine::persist(const std::vector<LogEntry>& group, std::vector<Acknowledgement>& waiting) {
  Result<Position> position;
  for (;;) {
    const SteadyTime start = clock_.steady();
    if (planted(PlantedBug::apply_before_sync)) {
      CO_TRY(index_->apply(group, log_->position_after(group)));
    }
    position = co_await log_->append(group);
    if (group_times_ != nullptr)
      group_times_->observe_micros(static_cast<std::uint64_t>((clock_.steady() - start).count()));
    if (position.ok()) break;
    if (!CommitLog::may_pass(position.error())) {
      stop_for_good(position.error(), waiting);
      co_return false;
    }
    CO_TRY_ASSIGN(const bool again, hold(position.error(), waiting));
    if (!again) co_return false;
  }
  for (;;) {
    auto applied = co_await index_->apply(group, *position);
    if (applied.ok()) co_return true;
    if (!may_heal(applied.error())) {
      stop_for_good(applied.error(), waiting);
      co_return false;
    }
    if (planted(PlantedBug::skip_failed_apply)) co_return true;
    CO_TRY_ASSIGN(const bool again, hold(applied.error(), waiting));
    if (!again) co_return false;
  }
}

bool LogEngine::may_heal(const Error& error) {
  return error.code == Code::kNoSpace || error.code == Code::kUnavailable || error.code == Code::kBusy;
}

/// Refuses commits until heal(); true after a moment, false when the cell closes instead.
Task<bool> LogEngine::hold(Error why, std::vector<Acknowledgement>& waiting) {
  bool closing = false;
  {
    const std::lock_guard lock(mutex_);
    if (!stalled_) log(LogLevel::kError, "kv", "commits are held: {}", to_string(why));
    stalled_ = why;
    closing = closing_;
  }
  if (closing) {
    stop_for_good(why, waiting);
    co_return false;
  }
  for (const auto& one : waiting) {
    one.done.set(Error{Code::kUnknownOutcome, "the commit is held up and may still happen: " + why.message});
  }
  waiting.clear();
  fail_queue(Error{why.code, "commits are held up: " + why.message});
  CO_TRY(sleep_for(kHoldRetry));
  co_return true;
}

void LogEngine::stop_for_good(const Error& why, std::vector<Acknowledgement>& waiting) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_) stopped_ = why;
  }
  log(LogLevel::kError, "kv", "the cell stops: {}", to_string(why));
  const std::string told = "the cell stopped, and whether this was committed shows after a restart: " + why.message;
  for (const auto& one : waiting) one.done.set(Error{Code::kUnknownOutcome, told});
  waiting.clear();
  fail_queue(Error{Code::kUnavailable, "the cell has stopped: " + why.message});
}

void LogEngine::fail_queue(const Error& why) {
  std::deque<Pending> queue;
  {
    const std::lock_guard lock(mutex_);
    queue.swap(queue_);
    queue_bytes_ = 0;
  }
  for (const auto& pending : queue) pending.done.set(why);
}

void LogEngine::heal() {
  const std::lock_guard lock(mutex_);
  if (stalled_) log(LogLevel::kWarn, "kv", "commits go on");
  stalled_.reset();
}

}  // namespace tombolo::kv
