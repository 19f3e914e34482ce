// MemoryEngine: the engine for unit tests. Same conflicts, limits and order as the others, no log, and two things that
// find bugs: commits whose outcome it hides, and the check of the guard discipline.
#pragma once

#include <deque>
#include <functional>
#include <mutex>

#include "base/clock.h"
#include "kv/commit/sequencer.h"
#include "kv/memory/memory_index.h"

namespace tombolo::kv {

/// What becomes of one commit.
enum class CommitFault {
  kNone,
  kFailUnknown,     // not committed, reported as kUnknownOutcome
  kSucceedUnknown,  // committed, reported as kUnknownOutcome
};

/// Which guard, if any, a transaction that writes `key` must hold.
using GuardOf = std::function<std::optional<std::string>(std::string_view key)>;

struct MemoryEngineOptions {
  /// Called with 1, 2, … for each commit that writes, from the committing thread. When set, the engine's
  /// capabilities say that outcomes can be unknown.
  std::function<CommitFault(std::uint64_t number)> fault = {};
  /// When set, a commit gives kInternal, and names key and guard, if it writes a row without the row's guard, or took
  /// the guard only after it had read a row that the guard protects (peek is exempt).
  GuardOf guard_of = {};
};

/// Thread-safe. Commits run at once, on the caller's thread. Keeps every log entry.
class MemoryEngine final : public Engine, private CommitTarget {
 public:
  explicit MemoryEngine(Clock& clock, MemoryEngineOptions options = {});

  Capabilities capabilities() const override { return {.commit_outcome_unknown = static_cast<bool>(options_.fault)}; }
  std::unique_ptr<Snapshot> snapshot() override;
  std::unique_ptr<Transaction> begin() override;
  Task<std::vector<LogEntry>> read_log(Sequence after, std::uint32_t limit) override;
  Sequence durable_through() const override { return committed(); }
  Sequence committed() const override;

 private:
  Task<Sequence> submit(CommitRequest request) override;
  Result<Sequence> commit_now(CommitRequest request);

  Clock& clock_;
  const MemoryEngineOptions options_;
  MemoryIndex index_;
  LiveReads live_reads_;
  mutable std::mutex mutex_;
  Sequencer sequencer_{Sequence{0}};
  std::deque<LogEntry> log_;
  std::uint64_t commits_ = 0;
};

}  // namespace tombolo::kv
