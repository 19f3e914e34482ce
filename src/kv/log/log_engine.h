// LogEngine: the durable engine. One committer orders transactions, writes them to the commit log in groups, one sync a
// group, applies them to an index and only then acknowledges (core.md §1).
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

#include "async/one_shot.h"
#include "async/scope.h"
#include "base/clock.h"
#include "kv/commit/request.h"
#include "kv/commit/sequencer.h"
#include "kv/log/commit_log.h"
#include "observe/instruments.h"

namespace tombolo::kv {

struct LogEngineOptions {
  CommitLogOptions log = {};
  std::size_t queue_transactions_max = 8'192;           // waiting commits past which commit gives kBusy
  std::size_t queue_bytes_max = 64u << 20;              // and what they may write together
  std::size_t group_bytes_max = 1u << 20;               // a group takes no more transactions above this
  Duration mark_after = std::chrono::milliseconds(50);  // idle time after which a mark is written; at most twice it
  std::uint64_t flush_after_bytes = 32ull << 20;        // log written since the last flush of the index that starts one
  std::uint64_t free_bytes_min = 256ull << 20;          // free space under which only Purpose::kFreesSpace is taken
};

struct LogEngineStatus {
  CommitLogStats log;
  Sequence committed;
  Sequence durable_through;
  Sequence flushed;              // what the index holds in durable files, at least
  std::uint64_t conflicts = 0;   // commits refused with kConflict since opening
  std::size_t queued = 0;        // commits that wait for a group
  std::size_t queued_max = 0;    // queue_transactions_max
  bool flush_owed = false;       // what an earlier life left may be in memory alone until the index is flushed
  std::optional<Error> stalled;  // commits are refused until what is logged could be written or applied
  std::optional<Error> stopped;  // commits are refused until restart
  bool space_is_low = false;     // the last commit found it so: only Purpose::kFreesSpace was taken
};

/// Thread-safe. Background work runs on `executor`, which must keep running until close() or stop() has ended; one of
/// them must have ended before the destructor, and every transaction and snapshot must be gone.
class LogEngine final : public Engine, private CommitTarget {
 public:
  struct Services {
    disk::Disk& disk;  // holds the log
    std::unique_ptr<Index> index;
    Clock& clock;
    Random& random;
    Executor executor;
    observe::Histogram* group_times = nullptr;  // of writing and syncing each group; null: not kept
  };

  /// Recovers what the log and the index hold. kCorrupt, with a sentence that names the file, when that cannot be
  /// trusted.
  static Task<std::unique_ptr<LogEngine>> open(Services services, LogEngineOptions options);
  ~LogEngine() override;

  Capabilities capabilities() const override { return {}; }
  std::unique_ptr<Snapshot> snapshot() override;
  std::unique_ptr<Transaction> begin() override;
  Task<std::vector<LogEntry>> read_log(Sequence after, std::uint32_t limit) override;
  Sequence durable_through() const override { return log_->durable_through(); }
  Sequence committed() const override { return {committed_.load(std::memory_order_acquire)}; }

  /// Flushes the index and trims the log. One at a time with itself; kBusy otherwise.
  Task<void> flush();
  /// Reads what the log still holds and the index's files and checks them. kCorrupt, with a name, when one does not
  /// verify.
  Task<void> verify();
  /// Refuses new commits, ends those that wait, writes a mark, flushes the index and trims the log. Where there is no
  /// space for that it ends all the same: the next start replays the log.
  Task<void> close();
  /// As close() without mark, flush and trim: what is left is what a crash would leave.
  Task<void> stop();
  LogEngineStatus status() const;

 private:
  struct Pending {
    CommitRequest request;
    OneShot<Sequence> done;
  };
  struct Acknowledgement {
    Sequence sequence;
    OneShot<Sequence> done;
  };

  /// What drain() does next.
  enum class Step { kCommit, kMark, kStartTimer, kEnd };

  LogEngine(Services services, LogEngineOptions options);

  Task<Sequence> submit(CommitRequest request) override;
  Result<bool> enqueue(CommitRequest request, const OneShot<Sequence>& done);
  Task<void> drain();
  Step next_step(std::deque<Pending>& batch);
  static void note_mark(const Result<void>& marked);  // where it differs from the one before
  Task<void> commit_batch(std::deque<Pending> batch);
  Task<void> look_at_space();
  void note_space(bool low, SteadyTime now);
  void refuse_without_space(std::deque<Pending>& batch) const;
  Task<void> load_counters(const std::deque<Pending>& batch, Counters& counters);
  Task<bool> persist(const std::vector<LogEntry>& group, std::vector<Acknowledgement>& waiting);
  Task<bool> hold(Error why, std::vector<Acknowledgement>& waiting);
  static bool may_heal(const Error& error);  // of the index
  void stop_for_good(const Error& why, std::vector<Acknowledgement>& waiting);
  void fail_queue(const Error& why);
  void heal();
  Task<void> mark_when_idle();
  void start_flush_if_due();
  void start_flush();
  Task<void> flush_in_background();
  Task<void> flush_what_is_owed();
  Task<void> require_room_to_flush();
  Task<void> flush_now();
  Task<bool> begin_closing();

  disk::Disk& disk_;
  const std::unique_ptr<Index> index_;
  Clock& clock_;
  Random& random_;
  const Executor executor_;
  observe::Histogram* const group_times_;
  const LogEngineOptions options_;
  std::unique_ptr<CommitLog> log_;
  LiveReads live_reads_;
  std::atomic<std::uint64_t> committed_{0};
  std::atomic<std::uint64_t> flushed_{0};
  std::atomic<std::uint64_t> conflicts_{0};
  std::atomic<std::uint64_t> flushed_at_bytes_{0};  // log_->stats().bytes_written at the last flush
  std::atomic<std::uint64_t> replayed_bytes_{0};    // kept from before opening and not flushed since
  std::atomic<bool> flushing_{false};
  std::atomic<bool> flush_owed_{false};
  std::atomic<bool> flush_fails_{false}, mark_fails_{false};  // the last one did

  // The committer's.
  std::unique_ptr<Sequencer> sequencer_;
  std::optional<SteadyTime> space_seen_, low_flush_at_;
  std::atomic<bool> space_is_low_{false};  // status() reads it

  mutable std::mutex mutex_;
  std::deque<Pending> queue_;
  std::size_t queue_bytes_ = 0;
  bool running_ = false;  // a drain() is under way
  bool closing_ = false;
  bool mark_wanted_ = false;
  bool mark_timer_ = false;
  std::optional<OneShot<void>> idle_;  // set when drain() ends while closing
  std::optional<Error> stalled_, stopped_;

  Scope work_{"kv committer"};
  Scope timers_{"kv mark timer"};
};

}  // namespace tombolo::kv
