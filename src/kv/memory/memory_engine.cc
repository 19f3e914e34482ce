#include "kv/memory/memory_engine.h"

#include "kv/commit/transaction.h"
#include "kv/memory/guard_checker.h"

namespace tombolo::kv {

MemoryEngine::MemoryEngine(Clock& clock, MemoryEngineOptions options) : clock_(clock), options_(std::move(options)) {}

std::unique_ptr<Snapshot> MemoryEngine::snapshot() {
  return std::make_unique<CheckedSnapshot>(index_.snapshot());
}

std::unique_ptr<Transaction> MemoryEngine::begin() {
  LiveReads::Pin read = live_reads_.pin(committed());  // before the snapshot, which may then show more, never less
  auto rows = index_.snapshot();
  std::unique_ptr<Transaction> transaction = std::make_unique<BufferedTransaction>(
      std::move(read), std::move(rows), BufferedTransaction::Services{.clock = clock_, .target = *this});
  if (!options_.guard_of) return transaction;
  return std::make_unique<GuardChecker>(std::move(transaction), options_.guard_of);
}

Result<Sequence> MemoryEngine::commit_now(CommitRequest request) {
  Counters counters;
  Sequencer::collect_counters(request, counters);
  for (auto& [key, value] : counters) value = index_.latest(key);
  const SteadyTime now = clock_.steady();
  TRY_ASSIGN(auto entry, sequencer_.admit(std::move(request), counters, now));
  index_.apply_now({entry}, {.log_id = 1, .sequence = entry.sequence, .chain = 0});
  sequencer_.forget(live_reads_.oldest(entry.sequence), now);
  log_.push_back(std::move(entry));
  return sequencer_.last();
}

Task<Sequence> MemoryEngine::submit(CommitRequest request) {
  const std::lock_guard lock(mutex_);
  const CommitFault fault = options_.fault ? options_.fault(++commits_) : CommitFault::kNone;
  const Error unknown{Code::kUnknownOutcome, "the commit's outcome is hidden (a test asked for it)"};
  if (fault == CommitFault::kFailUnknown) co_return unknown;
  auto committed = commit_now(std::move(request));
  if (committed.ok() && fault == CommitFault::kSucceedUnknown) co_return unknown;
  co_return committed;
}

Task<std::vector<LogEntry>> MemoryEngine::read_log(Sequence after, std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<LogEntry> out;
  for (std::size_t i = after.value; i < log_.size() && out.size() < limit; ++i) out.push_back(log_[i]);
  co_return out;
}

Sequence MemoryEngine::committed() const {
  const std::lock_guard lock(mutex_);
  return sequencer_.last();
}

}  // namespace tombolo::kv
