#include "kv/log/log_engine.h"

#include <fmt/format.h>

#include "async/sleep.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/planted_bugs.h"
#include "kv/commit/transaction.h"

namespace tombolo::kv {

namespace {
constexpr Duration kFlushRetry = std::chrono::seconds(1);
constexpr Duration kMarkRetry = std::chrono::seconds(1);
constexpr std::uint64_t kFlushMargin = 1u << 20;  // for what it writes beside the rows
}  // namespace

LogEngine::LogEngine(Services services, LogEngineOptions options)
    : disk_(services.disk),
      index_(std::move(services.index)),
      clock_(services.clock),
      random_(services.random),
      executor_(std::move(services.executor)),
      group_times_(services.group_times),
      options_(std::move(options)) {}

LogEngine::~LogEngine() = default;

Task<std::unique_ptr<LogEngine>> LogEngine::open(Services services, LogEngineOptions options) {
  std::unique_ptr<LogEngine> engine(new LogEngine(std::move(services), std::move(options)));
  const Position persisted = engine->index_->applied();
  CO_TRY_ASSIGN(engine->log_, CommitLog::open(engine->disk_, engine->random_, engine->options_.log, persisted));
  CO_TRY(engine->log_->replay(*engine->index_));
  const Sequence last = engine->log_->position().sequence;
  engine->sequencer_ = std::make_unique<Sequencer>(last);
  engine->committed_ = last.value;
  engine->flushed_ = persisted.sequence.value;
  log(LogLevel::kInfo, "kv", "commit log open: transactions up to {}, {} replayed", last.value,
      last.value - persisted.sequence.value);
  CO_TRY(engine->log_->trim(persisted.sequence));
  // Counts as written since the last flush: else a cell that is killed often enough never flushes and never trims.
  if (last > persisted.sequence) engine->replayed_bytes_ = engine->log_->stats().bytes;
  const bool in_older_files = engine->log_->begun_at().value > persisted.sequence.value + 1;
  if (in_older_files && !planted(PlantedBug::trust_log_file)) {
    engine->flush_owed_ = true;
    const auto flushed = co_await engine->flush_now();
    if (!flushed.ok() && !may_heal(flushed.error())) co_return flushed.error();
    if (!flushed.ok()) {
      log(LogLevel::kError, "kv",
          "the index could not be flushed: {}; trying again. Until it is, losing power may lose transactions, if a "
          "sync had failed before this start",
          to_string(flushed.error()));
      engine->timers_.spawn(engine->executor_, engine->flush_what_is_owed());
    }
  }
  co_return engine;
}

std::unique_ptr<Snapshot> LogEngine::snapshot() {
  return std::make_unique<CheckedSnapshot>(index_->snapshot());
}

std::unique_ptr<Transaction> LogEngine::begin() {
  LiveReads::Pin read = live_reads_.pin(committed());  // before the snapshot, which may then show more, never less
  auto rows = index_->snapshot();
  return std::make_unique<BufferedTransaction>(std::move(read), std::move(rows),
                                               BufferedTransaction::Services{.clock = clock_, .target = *this});
}

Task<std::vector<LogEntry>> LogEngine::read_log(Sequence after, std::uint32_t limit) {
  const Sequence visible = committed();
  CO_TRY_ASSIGN(auto entries, log_->read(after, limit));
  std::erase_if(entries, [&](const LogEntry& entry) { return entry.sequence > visible; });
  co_return entries;
}

Task<void> LogEngine::mark_when_idle() {
  for (;;) {
    const Sequence seen = committed();
    const auto slept = co_await sleep_for(mark_fails_ ? kMarkRetry : options_.mark_after);
    if (!slept.ok()) co_return slept;
    if (committed() == seen) break;
  }
  {
    const std::lock_guard lock(mutex_);
    mark_timer_ = false;
    if (closing_ || stopped_) co_return Result<void>{};
    mark_wanted_ = true;
    if (std::exchange(running_, true)) co_return Result<void>{};
  }
  ASSERT(work_.spawn(executor_, drain()));
  co_return Result<void>{};
}

void LogEngine::start_flush_if_due() {
  const std::uint64_t since = log_->stats().bytes_written - flushed_at_bytes_ + replayed_bytes_;
  if (since >= options_.flush_after_bytes) start_flush();
}

void LogEngine::start_flush() {
  if (flushing_.exchange(true)) return;
  ASSERT(work_.spawn(executor_, flush_in_background()));
}

Task<void> LogEngine::flush_in_background() {
  const auto flushed = co_await flush_now();
  if (!flushed.ok()) {
    if (!flush_fails_.exchange(true)) {
      log(LogLevel::kWarn, "kv", "the index could not be flushed, trying again: {}", to_string(flushed.error()));
    }
    CO_TRY(sleep_for(kFlushRetry));
  }
  flushing_ = false;
  co_return Result<void>{};
}

Task<void> LogEngine::flush_what_is_owed() {
  while (flush_owed_) {
    CO_TRY(sleep_for(kFlushRetry));
    if (status().stopped) break;
    start_flush();
  }
  co_return Result<void>{};
}

Task<void> LogEngine::flush() {
  if (flushing_.exchange(true)) co_return Error{Code::kBusy, "a flush is under way"};
  const auto flushed = co_await flush_now();
  flushing_ = false;
  co_return flushed;
}

/// An index that finds no space in the middle of a flush may refuse all writes for a while, deletes among them: better
/// none is begun.
Task<void> LogEngine::require_room_to_flush() {
  const auto space = co_await disk_.space();
  const std::uint64_t needed = index_->flush_bytes();
  if (!space.ok() || needed == 0 || space->free_bytes >= needed + kFlushMargin) co_return Result<void>{};
  co_return Error{Code::kNoSpace, fmt::format("a flush of the index may take {} bytes, and {} are free",
                                              needed + kFlushMargin, space->free_bytes)};
}

Task<void> LogEngine::flush_now() {
  CO_TRY(require_room_to_flush());
  const std::uint64_t bytes = log_->stats().bytes_written;
  const Sequence applied = committed();
  const auto flushed = co_await index_->flush();
  if (!flushed.ok() && !may_heal(flushed.error())) {
    // Not with the next commit only: nobody knows what the index has on the disk of its earlier flushes, below which
    // the log was trimmed, and a start makes that good.
    std::vector<Acknowledgement> nobody;
    stop_for_good(flushed.error(), nobody);
  }
  CO_CHECK(flushed);
  flush_owed_ = flush_fails_ = false;
  flushed_ = applied.value;
  flushed_at_bytes_ = bytes;
  replayed_bytes_ = 0;
  co_return co_await log_->trim(applied);
}

Task<void> LogEngine::verify() {
  CO_TRY(log_->verify());
  co_return co_await index_->verify();
}

/// False when closing has begun before.
Task<bool> LogEngine::begin_closing() {
  OneShot<void> idle;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closing_, true)) co_return false;
    if (running_) {
      idle_ = idle;
    } else {
      idle.set({});
    }
  }
  CO_TRY(idle.wait());
  CO_TRY(work_.join());
  CO_TRY(timers_.close());
  CO_TRY(work_.close());
  co_return true;
}

Task<void> LogEngine::stop() {
  CO_TRY(begin_closing());
  co_return Result<void>{};
}

Task<void> LogEngine::close() {
  CO_TRY_ASSIGN(const bool first, begin_closing());
  if (!first || status().stopped) co_return Result<void>{};
  auto flushed = co_await log_->mark();
  if (flushed.ok()) flushed = co_await flush_now();
  if (flushed.ok() || flushed.error().code != Code::kNoSpace) co_return flushed;
  log(LogLevel::kWarn, "kv", "the index was not flushed at the end, the next start replays the log: {}",
      flushed.error().message);
  co_return Result<void>{};
}

LogEngineStatus LogEngine::status() const {
  LogEngineStatus status{.log = log_->stats(),
                         .committed = committed(),
                         .durable_through = durable_through(),
                         .flushed = {flushed_.load()},
                         .conflicts = conflicts_.load(),
                         .queued = 0,
                         .queued_max = options_.queue_transactions_max,
                         .flush_owed = flush_owed_,
                         .stalled = {},
                         .stopped = {},
                         .space_is_low = space_is_low_};
  const std::lock_guard lock(mutex_);
  status.queued = queue_.size();
  status.stalled = stalled_;
  status.stopped = stopped_;
  return status;
}

}  // namespace tombolo::kv
