#include "jobs/scheduler.h"

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <map>
#include <mutex>

#include "async/mutex.h"
#include "async/scope.h"
#include "async/sleep.h"
#include "base/endian.h"
#include "base/log.h"
#include "kv/run.h"
#include "kv/tables.h"

namespace tombolo::jobs {
namespace {

constexpr Duration kSaveAgainFirst = std::chrono::milliseconds(50), kSaveAgainMax = std::chrono::seconds(10);
constexpr Duration kStopWaitMax = std::chrono::milliseconds(100);

std::string key_of(JobId id) {
  std::string key = kv::table_prefix(kv::Table::kJobs);
  append_be64(key, id.value);
  return key;
}

Task<void> put_job(kv::Transaction& txn, Job job) {
  txn.set_purpose(kv::Purpose::kFreesSpace);  // offload is how a full disk gets room
  txn.put(key_of(job.id), encode(job));
  co_return Result<void>{};
}

Task<void> erase_job(kv::Transaction& txn, JobId id) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  txn.erase(key_of(id));
  co_return Result<void>{};
}

}  // namespace

struct Scheduler::State : std::enable_shared_from_this<Scheduler::State> {
  State(kv::Engine& engine, Clock& the_clock, Random& the_random, Executor the_executor, SchedulerOptions the_options)
      : kv(engine), clock(the_clock), random(the_random), executor(std::move(the_executor)), options(the_options) {}

  struct Running final : JobContext {
    Running(State& owner_state, Job its_job) : owner(owner_state), current(std::move(its_job)) {}
    const Job& job() const override { return current; }
    Task<void> checkpoint(std::string cursor, Progress progress) override {
      current.cursor = std::move(cursor);
      current.progress = progress;
      CO_TRY(owner.save_of(*this));
      if (stop_requested()) co_return Error{Code::kCancelled, "the job was asked to stop"};
      co_return Result<void>{};
    }
    void report(Progress progress) override {
      const std::lock_guard lock(owner.mutex);
      shown.progress = progress;  // of the row only with the cursor that it belongs to
    }
    void note_failure(std::string what) override {
      const std::lock_guard lock(owner.mutex);
      ++owner.counts.objects_failed[current.kind];
      if (current.error.empty()) shown.error = current.error = std::move(what);
    }
    bool stop_requested() const override {
      const std::lock_guard lock(owner.mutex);
      return cancelled || owner.stopping;
    }

    State& owner;
    AsyncMutex saving;       // around each write of the job's row
    Job current;             // used by the runner only; as its row is to be
    Job shown;               // guarded by owner.mutex; the same, and what was reported since
    bool cancelled = false;  // guarded by owner.mutex
  };

  /// Stamps `job` and makes it durable.
  Task<void> save(Job& job) {
    job.updated = clock.wall();
    const Job as_it_is = job;
    auto body = [&as_it_is](kv::Transaction& txn) { return put_job(txn, as_it_is); };
    CO_TRY(kv::run(kv, random, body));
    co_return Result<void>{};
  }

  /// The same for one that runs, as the runner has it, and shows it. The row of one that is to be cancelled says so
  /// already: whatever ends the process, nobody takes the job up again.
  Task<void> save_of(Running& context) {
    CO_TRY_ASSIGN(const auto turn, context.saving.lock());
    Job row = context.current;
    if (is_cancelled(context) && !ended(row.state)) row.state = JobState::kCancelled;
    CO_TRY(save(row));
    context.current.updated = row.updated;
    const std::lock_guard lock(mutex);
    context.shown = context.current;
    co_return Result<void>{};
  }
  /// Requires: context.cancelled.
  Task<void> record_cancel(std::shared_ptr<Running> context) {
    CO_TRY_ASSIGN(const auto turn, context->saving.lock());
    Job row;
    {
      const std::lock_guard lock(mutex);
      row = context->shown;
    }
    if (ended(row.state)) co_return Result<void>{};
    row.state = JobState::kCancelled;
    co_return co_await save(row);
  }
  bool is_cancelled(const Running& context) const {
    const std::lock_guard lock(mutex);
    return context.cancelled;
  }
  bool is_stopping() const {
    const std::lock_guard lock(mutex);
    return stopping;
  }

  /// Saves the state of a job, however long that takes: a row that still says "queued" or "running" would keep the job
  /// from ever being seen to end. Gives up only when the scheduler stops: the next start takes the job up again.
  Task<void> save_at_last(Running& context) {
    Duration pause = kSaveAgainFirst;
    while (true) {
      const Result<void> saved = co_await save_of(context);
      if (saved.ok() || is_stopping()) co_return saved;
      log(LogLevel::kError, "jobs", "{}: its state could not be recorded, trying again in {} ms: {}",
          context.current.title, pause / std::chrono::milliseconds(1), to_string(saved.error()));
      for (Duration slept{0}; slept < pause && !is_stopping(); slept += kStopWaitMax) {
        CO_TRY(sleep_for(std::min(kStopWaitMax, pause - slept)));
      }
      pause = std::min(pause * 2, kSaveAgainMax);
    }
  }

  // Starts queued jobs up to the bound. Requires: no lock held.
  void pump() {
    while (true) {
      Job next;
      {
        const std::lock_guard lock(mutex);
        if (stopping || queue.empty() || running.size() >= options.running_max) return;
        next = std::move(queue.front());
        queue.pop_front();
        auto context = std::make_shared<Running>(*this, next);
        context->shown = next;
        running.emplace(next.id, context);
      }
      scope.spawn(executor, run_one(shared_from_this(), next.id));
    }
  }

  static Task<void> run_one(std::shared_ptr<State> self, JobId id) {
    std::shared_ptr<Running> context;
    {
      const std::lock_guard lock(self->mutex);
      context = self->running.at(id);
    }
    const Result<void> result = co_await self->run_to_its_end(*context);
    if (!result.ok()) {
      log(LogLevel::kError, "jobs", "job {:016x}: its end could not be recorded: {}", id.value,
          to_string(result.error()));
    }
    {
      const std::lock_guard lock(self->mutex);
      self->running.erase(id);
    }
    self->pump();
    if (result.ok() && ended(context->current.state)) co_return co_await self->keep_as_ended(context->current);
    co_return Result<void>{};
  }

  Task<void> run_to_its_end(Running& context) {
    Job& job = context.current;
    job.state = JobState::kRunning;
    ++job.starts;
    CO_TRY(save_at_last(context));
    const Result<void> result = co_await runners.at(job.kind)(context);
    if (result.ok()) {
      job.state = JobState::kDone;
    } else if (result.error().code == Code::kCancelled) {
      job.state = is_cancelled(context) ? JobState::kCancelled : JobState::kQueued;
    } else {
      job.state = JobState::kFailed;
      job.error = result.error().message;
      log(LogLevel::kWarn, "jobs", "{} failed: {}", job.title, to_string(result.error()));
    }
    co_return co_await save_at_last(context);
  }

  /// Requires: the job's row says that it has ended.
  Task<void> keep_as_ended(const Job& job) {
    {
      const std::lock_guard lock(mutex);
      ended_jobs.push_back(job.id);
      ++counts.ended[job.state];
    }
    if (const auto trimmed = co_await trim(); !trimmed.ok()) {
      log(LogLevel::kWarn, "jobs", "the row of an old job stays until another one ends: {}",
          to_string(trimmed.error()));
    }
    co_return Result<void>{};
  }

  /// Erases the rows past kept_ended, oldest end first. A death in between leaves them to the next start.
  Task<void> trim() {
    while (true) {
      JobId oldest;
      {
        const std::lock_guard lock(mutex);
        if (ended_jobs.size() <= options.kept_ended) co_return Result<void>{};
        oldest = ended_jobs.front();
        ended_jobs.pop_front();
      }
      auto body = [oldest](kv::Transaction& txn) { return erase_job(txn, oldest); };
      const auto erased = co_await kv::run(kv, random, body);
      if (erased.ok()) continue;
      const std::lock_guard lock(mutex);
      ended_jobs.push_front(oldest);
      co_return erased.error();
    }
  }

  // All rows, in no order.
  Task<std::vector<Job>> load() {
    std::vector<Job> jobs;
    const std::string prefix = kv::table_prefix(kv::Table::kJobs);
    kv::RangeQuery query{.begin = prefix, .end = kv::prefix_end(prefix)};
    while (true) {
      auto snapshot = kv.snapshot();
      CO_TRY_ASSIGN(const kv::RangePage page, snapshot->range(query));
      for (const kv::Row& row : page.rows) {
        CO_CHECK_ASSIGN(Job job, decode_job(row.value));
        jobs.push_back(std::move(job));
      }
      if (!page.more) co_return jobs;
      query.begin = page.rows.back().key + '\0';
    }
  }

  kv::Engine& kv;
  Clock& clock;
  Random& random;
  const Executor executor;
  const SchedulerOptions options;
  std::map<std::string, Runner> runners;  // fixed once started
  Scope scope{"jobs"};
  mutable std::mutex mutex;
  bool stopping = false;
  SchedulerCounts counts;
  std::deque<Job> queue;
  std::deque<JobId> ended_jobs;  // that have a row; the one that ended last is the last
  std::map<JobId, std::shared_ptr<Running>> running;
};

Scheduler::Scheduler(kv::Engine& kv, Clock& clock, Random& random, Executor executor, SchedulerOptions options)
    : state_(std::make_shared<State>(kv, clock, random, std::move(executor), options)) {}

Scheduler::~Scheduler() = default;

void Scheduler::register_kind(std::string kind, Runner runner) {
  state_->counts.objects_failed.emplace(kind, 0);
  state_->runners.emplace(std::move(kind), std::move(runner));
}

Task<void> Scheduler::start() {
  CO_TRY_ASSIGN(std::vector<Job> jobs, state_->load());
  const auto unfinished = std::partition(jobs.begin(), jobs.end(), [](const Job& job) { return ended(job.state); });
  std::sort(jobs.begin(), unfinished, [](const Job& a, const Job& b) { return a.updated < b.updated; });
  std::sort(unfinished, jobs.end(), [](const Job& a, const Job& b) { return a.created < b.created; });
  for (Job& job : jobs) {
    const std::lock_guard lock(state_->mutex);
    if (ended(job.state)) {
      state_->ended_jobs.push_back(job.id);
    } else if (state_->runners.contains(job.kind)) {
      state_->queue.push_back(std::move(job));
    } else {
      log(LogLevel::kWarn, "jobs", "{} is left alone: this build does not know the kind \"{}\"", job.title, job.kind);
    }
  }
  CO_TRY(state_->trim());
  state_->pump();
  co_return Result<void>{};
}

Task<void> Scheduler::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  co_return co_await state_->scope.join();
}

Task<JobId> Scheduler::submit(std::string kind, std::string title, std::string spec) {
  if (!state_->runners.contains(kind)) co_return Error{Code::kInvalid, "there is no job of the kind \"" + kind + "\""};
  Job job;
  job.id = JobId{state_->random.next64() | 1};
  job.kind = std::move(kind);
  job.title = std::move(title);
  job.spec = std::move(spec);
  job.created = state_->clock.wall();
  CO_TRY(state_->save(job));
  const JobId id = job.id;
  {
    const std::lock_guard lock(state_->mutex);
    state_->queue.push_back(std::move(job));
  }
  state_->pump();
  co_return id;
}

Task<Job> Scheduler::get(JobId id) {
  {
    const std::lock_guard lock(state_->mutex);
    if (const auto it = state_->running.find(id); it != state_->running.end()) co_return it->second->shown;
  }
  auto snapshot = state_->kv.snapshot();
  CO_TRY_ASSIGN(const auto value, snapshot->get(key_of(id)));
  if (!value) co_return Error{Code::kNotFound, "there is no such job; `tombolo jobs` lists them"};
  co_return decode_job(*value);
}

Task<std::vector<Job>> Scheduler::list(std::uint32_t limit) {
  CO_TRY_ASSIGN(std::vector<Job> jobs, state_->load());
  {
    const std::lock_guard lock(state_->mutex);
    for (Job& job : jobs) {
      if (const auto it = state_->running.find(job.id); it != state_->running.end()) job = it->second->shown;
    }
  }
  std::sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.created > b.created; });
  if (jobs.size() > limit) jobs.resize(limit);
  co_return jobs;
}

Task<void> Scheduler::cancel(JobId id) {
  std::optional<Job> dequeued;
  std::shared_ptr<State::Running> running;
  {
    const std::lock_guard lock(state_->mutex);
    if (const auto it = state_->running.find(id); it != state_->running.end()) {
      running = it->second;
      running->cancelled = true;
    }
    const auto same = [id](const Job& job) { return job.id == id; };
    if (const auto it = std::find_if(state_->queue.begin(), state_->queue.end(), same); it != state_->queue.end()) {
      dequeued = std::move(*it);
      state_->queue.erase(it);
    }
  }
  if (running) co_return co_await state_->record_cancel(std::move(running));
  if (!dequeued) {
    CO_TRY(get(id));  // kNotFound; an ended job stays as it is
    co_return Result<void>{};
  }
  dequeued->state = JobState::kCancelled;
  const Result<void> saved = co_await state_->save(*dequeued);
  if (saved.ok()) co_return co_await state_->keep_as_ended(*dequeued);
  dequeued->state = JobState::kQueued;  // as its row says
  {
    const std::lock_guard lock(state_->mutex);
    state_->queue.push_front(*std::move(dequeued));
  }
  state_->pump();
  co_return saved;
}

std::size_t Scheduler::running() const {
  const std::lock_guard lock(state_->mutex);
  return state_->running.size();
}

SchedulerCounts Scheduler::counts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

}  // namespace tombolo::jobs
