#include "kv/log/log_engine.h"

#include "async/sleep.h"
#include "base/assert.h"
#include "base/log.h"
#include "kv/commit/transaction.h"

namespace tombolo::kv {

namespace {
constexpr Duration kFlushRetry = std::chrono::seconds(1);
}

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
  if (engine->log_->copied_partly()) {
    const auto flushed = co_await engine->flush_now();
    if (!flushed.ok() && !may_heal(flushed.error())) co_return flushed.error();
    if (!flushed.ok()) engine->replayed_bytes_ += engine->options_.flush_after_bytes;  // with the first commit, then
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
    const auto slept = co_await sleep_for(options_.mark_after);
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
  if (since < options_.flush_after_bytes || flushing_.exchange(true)) return;
  ASSERT(work_.spawn(executor_, flush_in_background()));
}

Task<void> LogEngine::flush_in_background() {
  const auto flushed = co_await flush_now();
  if (!flushed.ok()) {
    log(LogLevel::kWarn, "kv", "the index could not be flushed, trying again later: {}", to_string(flushed.error()));
    CO_TRY(sleep_for(kFlushRetry));
  }
  flushing_ = false;
  co_return Result<void>{};
}

Task<void> LogEngine::flush() {
  if (flushing_.exchange(true)) co_return Error{Code::kBusy, "a flush is under way"};
  const auto flushed = co_await flush_now();
  flushing_ = false;
  co_return flushed;
}

Task<void> LogEngine::flush_now() {
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
  CO_TRY(log_->mark());
  co_return co_await flush_now();
}

LogEngineStatus LogEngine::status() const {
  LogEngineStatus status{.log = log_->stats(),
                         .committed = committed(),
                         .durable_through = durable_through(),
                         .flushed = {flushed_.load()},
                         .conflicts = conflicts_.load(),
                         .queued = 0,
                         .queued_max = options_.queue_transactions_max,
                         .stalled = {},
                         .stopped = {}};
  const std::lock_guard lock(mutex_);
  status.queued = queue_.size();
  status.stalled = stalled_;
  status.stopped = stopped_;
  return status;
}

}  // namespace tombolo::kv
