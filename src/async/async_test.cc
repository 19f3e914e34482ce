#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <thread>

#include "async/byte_stream.h"
#include "async/deadline.h"
#include "async/mutex.h"
#include "async/retry.h"
#include "async/run.h"
#include "async/scope.h"
#include "async/side_by_side.h"
#include "async/virtual_time.h"
#include "async/workers.h"

namespace tombolo {
namespace {

using namespace std::chrono_literals;

Task<int> answer_from(Workers& workers) {
  auto work = []() -> Result<int> { return 42; };
  co_return co_await offload(workers, std::move(work));
}

TEST(Offload, ComesBackWithTheValue) {
  Workers workers({.threads = 2});
  EXPECT_EQ(*run_to_end(answer_from(workers)), 42);
}

TEST(Offload, RefusesPastItsBound) {
  Workers workers({.threads = 1, .queue_max = 0});
  EXPECT_EQ(run_to_end(answer_from(workers)).error().code, Code::kBusy);
}

struct TellsWhereItEnded {
  std::atomic<std::thread::id>& where;
  ~TellsWhereItEnded() { where = std::this_thread::get_id(); }
};

Task<void> work_that_owns(Workers& workers, std::shared_ptr<TellsWhereItEnded> owned) {
  auto work = [owned = std::move(owned)]() -> Result<void> { return {}; };
  co_return co_await offload(workers, std::move(work));
}

TEST(Offload, WhatTheWorkOwnsEndsOnTheWorkerBeforeTheCallerGoesOn) {
  Workers workers({.threads = 1});
  std::atomic<std::thread::id> where;
  EXPECT_TRUE(run_to_end(work_that_owns(workers, std::make_shared<TellsWhereItEnded>(where))).ok());
  EXPECT_NE(where.load(), std::thread::id());
  EXPECT_NE(where.load(), std::this_thread::get_id());
}

Task<int> slow_answer(Duration after) {
  CO_TRY(sleep_for(after));
  co_return 7;
}

TEST(WithDeadline, GivesTheValueOrTheDeadline) {
  EXPECT_EQ(*run_to_end(with_deadline(slow_answer(1ms), 10s)), 7);
  EXPECT_EQ(run_to_end(with_deadline(slow_answer(10s), 1ms)).error().code, Code::kDeadline);
}

Task<void> wait_long(bool& ended) {
  const auto result = co_await sleep_for(1h);
  ended = true;
  co_return result;
}

Task<void> spawn_and_close(Scope& scope, bool& ended) {
  scope.spawn(co_await boost::asio::this_coro::executor, wait_long(ended));
  CO_TRY(sleep_for(1ms));
  CO_TRY(scope.close());
  co_return Result<void>{};
}

TEST(Scope, CloseCancelsAndWaits) {
  Scope scope("test");
  bool ended = false;
  EXPECT_TRUE(run_to_end(spawn_and_close(scope, ended)).ok());
  EXPECT_TRUE(ended);
  EXPECT_EQ(scope.size(), 0u);
}

TEST(SideBySide, GoesOnWhenAllHaveEnded) {
  boost::asio::io_context loop;
  int running = 0, most = 0, ended = 0;
  const auto one = [&](int n) -> Task<void> {
    most = std::max(most, ++running);
    const auto slept = co_await sleep_for(n * 1ms);
    --running;
    ++ended;
    if (n == 1) co_return Error{Code::kBusy, "one that fails ends no other"};
    co_return slept;
  };
  const auto all = [&]() -> Task<int> {
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 5; ++n) tasks.push_back(one(n));
    CO_TRY(side_by_side("test", std::move(tasks)));
    co_return ended;
  };
  EXPECT_EQ(*run_to_end(loop, all()), 5);
  EXPECT_EQ(most, 5);
}

TEST(SideBySide, StartsNothingWhenItWasCancelledBefore) {
  boost::asio::io_context loop;
  int started = 0;
  OneShot<void> late;
  const auto one = [&]() -> Task<void> {
    ++started;
    co_return Result<void>{};
  };
  const auto caller = [&]() -> Task<void> {
    (void)co_await late.wait();  // cannot be cancelled
    std::vector<Task<void>> tasks;
    tasks.push_back(one());
    co_return co_await side_by_side("test", std::move(tasks));
  };
  Scope scope("test"), closing("closing");
  scope.spawn(loop.get_executor(), caller());
  closing.spawn(loop.get_executor(), scope.close());
  loop.poll();
  loop.restart();
  late.set({});
  EXPECT_TRUE(run_to_end(loop, closing.join()).ok());
  EXPECT_EQ(started, 0);
}

Task<void> count_under(AsyncMutex& mutex, int& inside, int& most) {
  CO_TRY_ASSIGN(auto guard, mutex.lock());
  most = std::max(most, ++inside);
  CO_TRY(sleep_for(100us));
  --inside;
  co_return Result<void>{};
}

Task<void> contend(Scope& scope, AsyncMutex& mutex, int& inside, int& most) {
  const auto executor = co_await boost::asio::this_coro::executor;
  for (int i = 0; i < 20; ++i) scope.spawn(executor, count_under(mutex, inside, most));
  co_return co_await scope.join();
}

TEST(AsyncMutex, AdmitsOneAtATime) {
  Scope scope("test");
  AsyncMutex mutex;
  int inside = 0, most = 0;
  EXPECT_TRUE(run_to_end(contend(scope, mutex, inside, most)).ok());
  EXPECT_EQ(most, 1);
}

Task<int> fail_until(int& calls, int good_try) {
  ++calls;
  if (calls < good_try) co_return Error{Code::kBusy, "not yet"};
  co_return calls;
}

Task<int> retry_until(int good_try, Random& random) {
  int calls = 0;
  auto body = [&calls, good_try](int) { return fail_until(calls, good_try); };
  auto again = [](const Error& error) { return error.code == Code::kBusy; };
  RetryOptions options{.tries_max = 3, .delay_first = 1us, .delay_max = 10us};
  co_return co_await retry(options, random, body, again);
}

TEST(Retry, StopsAtSuccessOrAtItsBound) {
  SeededRandom random(1);
  EXPECT_EQ(*run_to_end(retry_until(3, random)), 3);
  EXPECT_EQ(run_to_end(retry_until(4, random)).error().code, Code::kBusy);
}

TEST(ReadAll, RefusesPastItsLimit) {
  BlockSource source(Block(Bytes(600'000)));
  EXPECT_EQ(run_to_end(read_all(source, 600'000))->size(), 600'000u);
  BlockSource longer(Block(Bytes(600'001)));
  EXPECT_EQ(run_to_end(read_all(longer, 600'000)).error().code, Code::kTooLarge);
}

TEST(OneShot, MayBeSetFromAnotherThread) {
  OneShot<int> shot;
  std::thread setter([shot] { shot.set(5); });
  EXPECT_EQ(*run_to_end(shot.wait()), 5);
  setter.join();
}

Task<void> sleep_and_note(Duration duration, std::vector<Duration>& notes) {
  CO_TRY(sleep_for(duration));
  notes.push_back(duration);
  co_return Result<void>{};
}

TEST(VirtualTime, PassesOnlyWhenNothingIsLeftToDo) {
  boost::asio::io_context loop(1);
  ManualClock clock;
  VirtualTime time(loop, clock);
  const SteadyTime start = clock.steady();
  std::vector<Duration> notes;
  Scope scope("sleepers");
  for (const Duration duration : {Duration(3h), Duration(1h), Duration(5h)}) {
    scope.spawn(loop.get_executor(), sleep_and_note(duration, notes));
  }
  time.settle();
  EXPECT_EQ(clock.steady(), start);
  ASSERT_TRUE(time.run(sleep_for(4h), 24h).ok());
  EXPECT_EQ(clock.steady() - start, Duration(4h));
  EXPECT_EQ(notes, (std::vector<Duration>{1h, 3h}));
  EXPECT_TRUE(time.run(scope.close(), 1h).ok());  // cancels the last
  EXPECT_EQ(clock.steady() - start, Duration(4h));
  EXPECT_EQ(time.sleepers(), 0u);
}

TEST(VirtualTime, DeadlinesAreVirtualToo) {
  boost::asio::io_context loop(1);
  ManualClock clock;
  VirtualTime time(loop, clock);
  EXPECT_EQ(time.run(with_deadline(sleep_for(10h), 1h), 24h).error().code, Code::kDeadline);
  EXPECT_TRUE(time.run(with_deadline(sleep_for(1h), 10h), 24h).ok());
  EXPECT_EQ(time.run(sleep_for(2h), 1h).error().code, Code::kDeadline) << "the limit of the run itself";
}

TEST(Workers, WithoutThreadsTheyWorkAtOnce) {
  Workers none({.threads = 0});
  int done = 0;
  EXPECT_TRUE(none.submit([&done] { ++done; }));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(*run_to_end(offload(none, [&done]() -> Result<int> { return ++done; })), 2);
  EXPECT_EQ(none.pending(), 0u);
}

}  // namespace
}  // namespace tombolo
