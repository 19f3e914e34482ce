#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>

#include "async/run.h"
#include "async/sleep.h"
#include "base/endian.h"
#include "jobs/scheduler.h"
#include "kv/memory/memory_engine.h"
#include "kv/tables.h"

namespace tombolo::jobs {
namespace {

using namespace std::chrono_literals;

// Counts up to `target` in steps that are checkpointed, each a little later.
Task<void> count_up(JobContext& context, int target, Duration step) {
  int n = context.job().cursor.empty() ? 0 : std::stoi(context.job().cursor);
  while (n < target) {
    CO_TRY(sleep_for(step));
    ++n;
    Progress progress{.objects_done = static_cast<std::uint64_t>(n)};
    CO_TRY(context.checkpoint(std::to_string(n), progress));
  }
  co_return Result<void>{};
}

Task<void> fail_at_once(JobContext&) {
  co_return Error{Code::kUnavailable, "the remote is gone"};
}

Task<void> fail_for_two_objects(JobContext& context) {
  context.note_failure("a: gone");
  context.note_failure("b: gone");
  co_return Result<void>{};
}

// One is done and recorded, four more are done only.
Task<void> report_ahead(JobContext& context) {
  const Progress recorded{.objects_done = 1}, reported{.objects_done = 5};
  CO_TRY(context.checkpoint("one", recorded));
  context.report(reported);
  while (!context.stop_requested()) {
    CO_TRY(sleep_for(1ms));
  }
  co_return Error{Code::kCancelled, "asked to stop"};
}

Task<void> turn_a_deaf_ear(JobContext& context, std::atomic<bool>& let_go) {
  while (!let_go) {
    CO_TRY(sleep_for(1ms));
    (void)co_await context.checkpoint("here", {});
  }
  co_return Result<void>{};
}

class JobsTest : public testing::Test {
 protected:
  std::unique_ptr<Scheduler> make(int target, Duration step, SchedulerOptions options = {}) {
    auto made = std::make_unique<Scheduler>(kv_, clock_, random_, loop_.get_executor(), options);
    made->register_kind("count", [target, step](JobContext& context) { return count_up(context, target, step); });
    made->register_kind("fail", fail_at_once);
    return made;
  }
  template <class T>
  Result<T> run(Task<T> task) {
    return run_to_end(loop_, std::move(task));
  }
  Job wait_until_ended(Scheduler& scheduler, JobId id) {
    while (true) {
      Job job = *run(scheduler.get(id));
      if (ended(job.state)) return job;
      (void)run(sleep_for(1ms));
    }
  }

  boost::asio::io_context loop_{1};
  ManualClock clock_;
  SeededRandom random_{1};
  kv::MemoryEngine kv_{clock_};
};

TEST_F(JobsTest, RunsToTheEndAndSaysSo) {
  auto scheduler = make(3, 100us);
  ASSERT_TRUE(run(scheduler->start()).ok());
  const JobId id = *run(scheduler->submit("count", "count to three", ""));
  const Job job = wait_until_ended(*scheduler, id);
  EXPECT_EQ(job.state, JobState::kDone);
  EXPECT_EQ(job.progress.objects_done, 3u);
  EXPECT_EQ(job.starts, 1u);
  ASSERT_TRUE(run(scheduler->stop()).ok());
}

TEST_F(JobsTest, GoesOnFromItsCursorAfterARestart) {
  auto first = make(1'000'000, 1ms);
  ASSERT_TRUE(run(first->start()).ok());
  const JobId id = *run(first->submit("count", "count", ""));
  while (run(first->get(id))->progress.objects_done < 3) (void)run(sleep_for(1ms));
  ASSERT_TRUE(run(first->stop()).ok());
  const Job stopped = *run(first->get(id));
  EXPECT_EQ(stopped.state, JobState::kQueued);
  const int reached = std::stoi(stopped.cursor);

  auto second = make(reached + 2, 100us);
  ASSERT_TRUE(run(second->start()).ok());
  const Job job = wait_until_ended(*second, id);
  EXPECT_EQ(job.state, JobState::kDone);
  EXPECT_EQ(job.starts, 2u);
  EXPECT_EQ(job.cursor, std::to_string(reached + 2));
  ASSERT_TRUE(run(second->stop()).ok());
}

TEST_F(JobsTest, WhatIsReportedBeyondTheCursorIsShownAndNotRecorded) {
  auto first = make(1, 1us);
  first->register_kind("ahead", report_ahead);
  ASSERT_TRUE(run(first->start()).ok());
  const JobId id = *run(first->submit("ahead", "", ""));
  while (run(first->get(id))->progress.objects_done < 5) (void)run(sleep_for(1ms));
  ASSERT_TRUE(run(first->stop()).ok());
  const Job stopped = *run(first->get(id));
  EXPECT_EQ(stopped.state, JobState::kQueued);
  EXPECT_EQ(stopped.cursor, "one");
  EXPECT_EQ(stopped.progress.objects_done, 1u) << "the others will be counted when they are done again";
}

TEST_F(JobsTest, FailureKeepsItsReason) {
  auto scheduler = make(1, 1us);
  ASSERT_TRUE(run(scheduler->start()).ok());
  const Job job = wait_until_ended(*scheduler, *run(scheduler->submit("fail", "fail", "")));
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.error, "the remote is gone");
  EXPECT_EQ(run(scheduler->submit("nonsense", "", "")).error().code, Code::kInvalid);
  ASSERT_TRUE(run(scheduler->stop()).ok());
}

TEST_F(JobsTest, TheFirstObjectThatFailedIsNamedAndAllAreCounted) {
  auto scheduler = make(1'000'000, 1ms, {.running_max = 1});
  scheduler->register_kind("some", fail_for_two_objects);
  ASSERT_TRUE(run(scheduler->start()).ok());
  const Job some = wait_until_ended(*scheduler, *run(scheduler->submit("some", "", "")));
  EXPECT_EQ(some.state, JobState::kDone);
  EXPECT_EQ(some.error, "a: gone");
  wait_until_ended(*scheduler, *run(scheduler->submit("fail", "", "")));
  std::vector<JobId> ids;
  for (int i = 0; i < 2; ++i) ids.push_back(*run(scheduler->submit("count", "", "")));  // one runs, one waits
  for (const JobId id : ids) ASSERT_TRUE(run(scheduler->cancel(id)).ok());
  for (const JobId id : ids) wait_until_ended(*scheduler, id);
  ASSERT_TRUE(run(scheduler->stop()).ok());
  SchedulerCounts counts = scheduler->counts();
  EXPECT_EQ(counts.ended[JobState::kDone], 1u);
  EXPECT_EQ(counts.ended[JobState::kFailed], 1u);
  EXPECT_EQ(counts.ended[JobState::kCancelled], 2u);
  EXPECT_EQ(counts.objects_failed, (std::map<std::string, std::uint64_t>{{"count", 0}, {"fail", 0}, {"some", 2}}));
}

TEST_F(JobsTest, CancelStopsARunningAndAQueuedJob) {
  auto scheduler = make(1'000'000, 1ms);
  ASSERT_TRUE(run(scheduler->start()).ok());
  std::vector<JobId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(*run(scheduler->submit("count", "count", "")));  // two run, one waits
  for (const JobId id : ids) ASSERT_TRUE(run(scheduler->cancel(id)).ok());
  for (const JobId id : ids) EXPECT_EQ(wait_until_ended(*scheduler, id).state, JobState::kCancelled);
  ASSERT_TRUE(run(scheduler->stop()).ok());
}

TEST_F(JobsTest, ACancelledJobIsNotTakenUpAgainThoughItsProcessDiesWhileItRuns) {
  auto first = make(1, 1us);
  std::atomic<bool> let_go = false;
  first->register_kind("deaf", [&let_go](JobContext& context) { return turn_a_deaf_ear(context, let_go); });
  ASSERT_TRUE(run(first->start()).ok());
  const JobId id = *run(first->submit("deaf", "", ""));
  while (run(first->get(id))->cursor.empty()) (void)run(sleep_for(1ms));
  ASSERT_TRUE(run(first->cancel(id)).ok());
  for (int n = 0; n < 5; ++n) {  // what it still records changes nothing
    (void)run(sleep_for(2ms));
    EXPECT_EQ(run(first->get(id))->state, JobState::kRunning);
    auto next_start = make(1, 1us);
    EXPECT_EQ(run(next_start->get(id))->state, JobState::kCancelled);
  }
  let_go = true;
  EXPECT_EQ(wait_until_ended(*first, id).state, JobState::kDone) << "it was done before it heard of it";
  ASSERT_TRUE(run(first->stop()).ok());
}

TEST_F(JobsTest, EveryStateIsStamped) {
  clock_.advance(1h);
  auto scheduler = make(1'000'000, 1ms);
  ASSERT_TRUE(run(scheduler->start()).ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(run(scheduler->submit("count", "count", "")).ok());  // two run, one waits
  const WallTime submitted = clock_.wall();
  const auto listed = run(scheduler->list(10));  // GCC 12 ends a temporary of the range before the loop
  for (const Job& job : *listed) EXPECT_EQ(job.updated.micros, submitted.micros) << job.title;
  clock_.advance(1min);
  const auto moved = [&] {
    const auto jobs = run(scheduler->list(10));
    return std::count_if(jobs->begin(), jobs->end(),
                         [&](const Job& job) { return job.updated.micros == clock_.wall().micros; });
  };
  while (moved() < 2) (void)run(sleep_for(1ms));  // the running ones, with their checkpoints
  EXPECT_EQ(moved(), 2);
  ASSERT_TRUE(run(scheduler->stop()).ok());
}

TEST_F(JobsTest, AnEndThatCannotBeSavedIsSavedWhenItCan) {
  std::atomic<bool> broken{false};
  kv::MemoryEngineOptions options;
  options.fault = [&broken](std::uint64_t) { return broken ? kv::CommitFault::kFailUnknown : kv::CommitFault::kNone; };
  kv::MemoryEngine kv(clock_, options);
  Scheduler scheduler(kv, clock_, random_, loop_.get_executor());
  int started = 0;
  scheduler.register_kind("break", [&](JobContext&) {
    ++started;
    broken = true;
    return sleep_for(1ms);
  });
  ASSERT_TRUE(run(scheduler.start()).ok());
  const JobId id = *run(scheduler.submit("break", "break", ""));
  while (started == 0) (void)run(sleep_for(1ms));
  (void)run(sleep_for(100ms));
  EXPECT_EQ(run(scheduler.get(id))->state, JobState::kRunning) << "what is not durable is not told";
  EXPECT_EQ(scheduler.running(), 1u);
  broken = false;
  EXPECT_EQ(wait_until_ended(scheduler, id).state, JobState::kDone);
  while (scheduler.running() > 0) (void)run(sleep_for(1ms));
  EXPECT_EQ(run(scheduler.get(id))->state, JobState::kDone);
  EXPECT_EQ(started, 1);
  ASSERT_TRUE(run(scheduler.stop()).ok());
}

class EndedJobsTest : public JobsTest {
 protected:
  /// Submits one and waits until it has ended and nothing but `others` runs.
  JobId end_one(Scheduler& scheduler, std::string kind = "count", std::size_t others = 0) {
    clock_.advance(1s);
    const JobId id = *run(scheduler.submit(std::move(kind), "", ""));
    while (!ended(run(scheduler.get(id))->state) || scheduler.running() > others) (void)run(sleep_for(1ms));
    return id;
  }
  /// Newest first.
  std::vector<JobId> rows(Scheduler& scheduler) {
    std::vector<JobId> out;
    const auto listed = run(scheduler.list(100));
    for (const Job& job : *listed) out.push_back(job.id);
    return out;
  }
};

TEST_F(EndedJobsTest, AreForgottenOldestFirstWhenOthersEnd) {
  auto scheduler = make(1, 1us, {.kept_ended = 3});
  ASSERT_TRUE(run(scheduler->start()).ok());
  std::vector<JobId> ids;
  for (int n = 0; n < 7; ++n) ids.insert(ids.begin(), end_one(*scheduler, n % 2 == 0 ? "count" : "fail"));
  EXPECT_EQ(rows(*scheduler), std::vector<JobId>(ids.begin(), ids.begin() + 3));
  EXPECT_EQ(run(scheduler->get(ids[3])).error().code, Code::kNotFound);
  EXPECT_EQ(run(scheduler->cancel(ids[3])).error().code, Code::kNotFound);
  ASSERT_TRUE(run(scheduler->stop()).ok());
}

TEST_F(EndedJobsTest, CountThoseThatWereCancelledBeforeTheyRan) {
  auto scheduler = make(1'000'000, 1ms, {.running_max = 1, .kept_ended = 2});
  ASSERT_TRUE(run(scheduler->start()).ok());
  std::vector<JobId> ids;
  for (int n = 0; n < 5; ++n) {
    clock_.advance(1s);
    ids.insert(ids.begin(), *run(scheduler->submit("count", "", "")));
  }
  for (const std::size_t n : {3u, 2u, 1u, 0u}) ASSERT_TRUE(run(scheduler->cancel(ids[n])).ok());
  EXPECT_EQ(rows(*scheduler), (std::vector<JobId>{ids[0], ids[1], ids[4]})) << "one still runs";
  ASSERT_TRUE(run(scheduler->stop()).ok());
}

TEST_F(EndedJobsTest, AreKeptByTheirEndAlsoAcrossARestart) {
  auto first = make(1, 1us, {.kept_ended = 3});
  first->register_kind("long", [](JobContext& context) { return count_up(context, 1'000'000, 1ms); });
  ASSERT_TRUE(run(first->start()).ok());
  const JobId submitted_first = *run(first->submit("long", "", ""));
  const JobId ended_first = end_one(*first, "count", 1);
  const JobId ended_second = end_one(*first, "count", 1);
  clock_.advance(1s);
  ASSERT_TRUE(run(first->cancel(submitted_first)).ok());
  wait_until_ended(*first, submitted_first);
  ASSERT_TRUE(run(first->stop()).ok());

  auto second = make(1, 1us, {.kept_ended = 2});
  ASSERT_TRUE(run(second->start()).ok());
  EXPECT_EQ(rows(*second), (std::vector<JobId>{ended_second, submitted_first}));
  EXPECT_EQ(run(second->get(ended_first)).error().code, Code::kNotFound);
  const JobId ended_last = end_one(*second);
  EXPECT_EQ(rows(*second), (std::vector<JobId>{ended_last, submitted_first}));
  ASSERT_TRUE(run(second->stop()).ok());
}

TEST_F(EndedJobsTest, StayWhenTheyCannotBeForgottenUntilAnotherOneEnds) {
  std::string stuck;
  kv::MemoryEngineOptions options;
  options.guard_of = [&stuck](std::string_view key) {  // a write of that row fails
    return key == stuck ? std::optional<std::string>("guard") : std::nullopt;
  };
  kv::MemoryEngine kv(clock_, options);
  Scheduler scheduler(kv, clock_, random_, loop_.get_executor(), {.kept_ended = 1});
  scheduler.register_kind("fail", fail_at_once);
  ASSERT_TRUE(run(scheduler.start()).ok());
  const JobId first = end_one(scheduler, "fail");
  stuck = kv::table_prefix(kv::Table::kJobs);
  append_be64(stuck, first.value);
  const JobId second = end_one(scheduler, "fail");
  EXPECT_EQ(rows(scheduler), (std::vector<JobId>{second, first}));
  stuck.clear();
  const JobId third = end_one(scheduler, "fail");
  EXPECT_EQ(rows(scheduler), std::vector<JobId>{third});
  ASSERT_TRUE(run(scheduler.stop()).ok());
}

TEST(JobCodec, RoundTripsAndRefusesDamage) {
  Job job;
  job.id = JobId{42};
  job.kind = "offload";
  job.spec = std::string("\0\1", 2);
  job.state = JobState::kFailed;
  job.progress.bytes_done = 1ull << 40;
  const std::string bytes = encode(job);
  EXPECT_EQ(encode(*decode_job(bytes)), bytes);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_EQ(decode_job(std::string_view(bytes).substr(0, cut)).error().code, Code::kCorrupt);
  }
}

}  // namespace
}  // namespace tombolo::jobs
