#include "tiering/collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "async/mutex.h"
#include "async/scope.h"
#include "async/sleep.h"
#include "base/log.h"
#include "tiering/collect.h"

namespace tombolo::tiering {

namespace {

enum class Failed {  // what becomes of a step that failed in the last pass
  kAtOnce,
  kLater,  // not before an interval has passed
};

}  // namespace

struct Collector::State : Collecting {
  State(store::Services& given_services, Executor given_executor, CollectorOptions given_options)
      : Collecting(given_services, given_options), executor(std::move(given_executor)) {}

  /// What is on flash and in rows. Each step is tried whatever became of the others: a row that stops one must not fill
  /// the disk.
  Task<void> local_pass(Pass& pass, Failed failed) {
    CO_TRY_ASSIGN(const auto only, local_turn.lock());
    for (Step& step : local_steps) {
      if (failed == Failed::kLater && services.cell.clock.steady() < step.again) continue;
      Pass one;
      const Result<void> done = co_await step.run(*this, one);
      one.note(done);
      if (one.failed && !one.changed) step.again = services.cell.clock.steady() + options.interval;
      pass.add(one);
    }
    co_return Result<void>{};
  }

  /// What is in remotes. On its own: a remote that hangs must not keep the disk from being freed.
  Task<void> remote_pass(Pass& pass) {
    CO_TRY_ASSIGN(const auto only, remote_turn.lock());
    co_return co_await collect_dead_natives(*this, pass);
  }

  Task<bool> pass() {
    Pass all;
    const Result<void> local = co_await local_pass(all, Failed::kAtOnce);
    all.note(local);
    const Result<void> remote = co_await remote_pass(all);
    all.note(remote);
    if (all.failed) co_return *all.failed;
    co_return all.changed;
  }

  Task<void> free_now() {
    CO_TRY_ASSIGN(const auto only, local_turn.lock());
    Pass pass;
    CO_TRY(free_segments(*this, pass));
    if (pass.failed) co_return *pass.failed;
    co_return Result<void>{};
  }

  static Task<void> local_loop(std::shared_ptr<State> self) {
    // First of all: a process that is killed again and again before a pass gets this far gives space back nevertheless.
    // Without compaction, which would let such a process never get to its dead gens.
    const Result<void> freed = co_await self->free_now();
    if (!freed.ok()) log(LogLevel::kWarn, "tiering", "freeing segments: {}; trying again", to_string(freed.error()));
    while (!self->stopping) {
      Pass pass;
      const Result<void> done = co_await self->local_pass(pass, Failed::kLater);
      pass.note(done);
      CO_TRY(self->pause_after(pass));
    }
    co_return Result<void>{};
  }

  static Task<void> remote_loop(std::shared_ptr<State> self) {
    while (!self->stopping) {
      Pass pass;
      const Result<void> done = co_await self->remote_pass(pass);
      pass.note(done);
      CO_TRY(self->pause_after(pass));
    }
    co_return Result<void>{};
  }

  Task<void> pause_after(const Pass& pass) {
    if (pass.failed && !stopping) {
      tell(fmt::format("garbage collection: {}; {}", to_string(*pass.failed),
                       pass.changed ? "going on beside it" : "trying again later"));
    }
    const Duration pause = pass.changed ? kBreath : options.interval;
    for (Duration slept{0}; slept < pause && !stopping; slept += kStep) {
      CO_TRY(sleep_for(std::min(kStep, pause - slept)));
    }
    co_return Result<void>{};
  }

  struct Step {
    Task<void> (*run)(Collecting&, Pass&);
    SteadyTime again = {};  // not before, where it failed and changed nothing, however busy the other steps are
  };
  std::array<Step, 5> local_steps{
      {{collect_purges}, {collect_uploads}, {collect_feed}, {collect_dead_gens}, {collect_segments}}};
  static constexpr Duration kBreath = std::chrono::milliseconds(10);
  static constexpr Duration kStep = std::chrono::milliseconds(100);  // stop() waits at most so long for a sleeper
  const Executor executor;
  AsyncMutex local_turn, remote_turn;
  Scope scope{"collector"};
};

Collector::Collector(store::Services& services, Executor executor, CollectorOptions options)
    : state_(std::make_shared<State>(services, std::move(executor), options)) {}

Collector::~Collector() = default;

void Collector::start() {
  state_->scope.spawn(state_->executor, State::local_loop(state_));
  state_->scope.spawn(state_->executor, State::remote_loop(state_));
}

Task<void> Collector::stop() {
  state_->stopping = true;
  co_return co_await state_->scope.join();
}

Task<bool> Collector::pass() {
  co_return co_await state_->pass();
}

CollectorStats Collector::stats() const {
  const std::lock_guard lock(state_->mutex);
  return state_->stats;
}

}  // namespace tombolo::tiering
