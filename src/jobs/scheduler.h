// Scheduler: runs jobs, a few at a time, and takes up after a restart what was unfinished.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/random.h"
#include "jobs/job.h"
#include "kv/kv.h"

namespace tombolo::jobs {

/// What a running job sees of itself. Valid until the runner's task ends.
class JobContext {
 public:
  virtual ~JobContext() = default;
  /// As of the last checkpoint.
  virtual const Job& job() const = 0;
  /// Makes cursor and progress durable. kCancelled when the job should stop: return that error.
  virtual Task<void> checkpoint(std::string cursor, Progress progress) = 0;
  /// Updates the progress that get() shows, without making it durable.
  virtual void report(Progress progress) = 0;
  /// What went wrong with one object of many: counted, and the first kept as Job::error, durable with the next
  /// checkpoint. The job goes on.
  virtual void note_failure(std::string what) = 0;
  virtual bool stop_requested() const = 0;
};

/// Runs one job from job().cursor to its end. An error fails the job; kCancelled while the scheduler stops leaves it
/// queued for the next start. Must be idempotent from its last checkpoint on.
using Runner = std::function<Task<void>(JobContext&)>;

struct SchedulerOptions {
  unsigned running_max = 2;   // jobs at once
  unsigned kept_ended = 200;  // jobs whose rows are kept for `tombolo jobs`: those that ended last
};

/// Since the scheduler was made.
struct SchedulerCounts {
  std::map<JobState, std::uint64_t> ended = {{JobState::kDone, 0}, {JobState::kFailed, 0}, {JobState::kCancelled, 0}};
  std::map<std::string, std::uint64_t> objects_failed;  // by kind of job: every kind that is registered
};

/// Thread-safe once started. register_kind before start(). stop() before destruction.
class Scheduler {
 public:
  Scheduler(kv::Engine& kv, Clock& clock, Random& random, Executor executor, SchedulerOptions options = {});
  ~Scheduler();

  void register_kind(std::string kind, Runner runner);
  /// Queues what was unfinished and begins to run.
  Task<void> start();
  /// Asks running jobs to stop at their next checkpoint, waits for them, and leaves them queued.
  Task<void> stop();

  /// Durable when it succeeds. kInvalid for an unknown kind.
  Task<JobId> submit(std::string kind, std::string title, std::string spec);
  /// kNotFound also for a job that ended long ago (SchedulerOptions::kept_ended).
  Task<Job> get(JobId id);
  /// Newest first, at most `limit`.
  Task<std::vector<Job>> list(std::uint32_t limit);
  /// A queued job ends at once, a running one at its next step; an ended one stays as it is. When it succeeds no later
  /// start takes the job up again, however this process ends.
  Task<void> cancel(JobId id);
  std::size_t running() const;
  SchedulerCounts counts() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tombolo::jobs
