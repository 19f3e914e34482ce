#include "tiering/collector.h"

#include <algorithm>

#include "async/mutex.h"
#include "async/scope.h"
#include "async/sleep.h"
#include "base/log.h"
#include "tiering/collect.h"

namespace tombolo::tiering {

struct Collector::State : Collecting {
  State(store::Services& given_services, Executor given_executor, CollectorOptions given_options)
      : Collecting(given_services, given_options), executor(std::move(given_executor)) {}

  /// What is on flash and in rows. Each step is tried whatever became of the others: a row that stops one must not fill
  /// the disk.
  Task<bool> local_pass() {
    CO_TRY_ASSIGN(const auto only, local_turn.lock());
    progressed = false;
    const Result<bool> purged = co_await collect_purges(*this);
    const Result<bool> expired = co_await collect_uploads(*this);
    const Result<bool> trimmed = co_await collect_feed(*this);
    const Result<bool> erased = co_await collect_dead_gens(*this);
    const Result<bool> freed = co_await collect_segments(*this);
    bool changed = false;
    for (const Result<bool>* step : {&purged, &expired, &trimmed, &erased, &freed}) {
      if (!step->ok()) co_return step->error();
      changed = changed || **step;
    }
    co_return changed;
  }

  /// What is in remotes. On its own: a remote that hangs must not keep the disk from being freed.
  Task<bool> remote_pass() {
    CO_TRY_ASSIGN(const auto only, remote_turn.lock());
    co_return co_await collect_dead_natives(*this);
  }

  Task<bool> pass() {
    const Result<bool> local = co_await local_pass();
    const Result<bool> remote = co_await remote_pass();
    if (!local.ok()) co_return local;
    if (!remote.ok()) co_return remote;
    co_return *local || *remote;
  }

  Task<bool> free_now() {
    CO_TRY_ASSIGN(const auto only, local_turn.lock());
    co_return co_await free_segments(*this);
  }

  static Task<void> local_loop(std::shared_ptr<State> self) {
    // First of all: a process that is killed again and again before a pass gets this far gives space back nevertheless.
    // Without compaction, which would let such a process never get to its dead gens.
    const Result<bool> freed = co_await self->free_now();
    if (!freed.ok()) log(LogLevel::kWarn, "tiering", "freeing segments: {}; trying again", to_string(freed.error()));
    while (!self->stopping) {
      const Result<bool> changed = co_await self->local_pass();
      CO_TRY(self->pause_after(changed, self->progressed));
    }
    co_return Result<void>{};
  }

  static Task<void> remote_loop(std::shared_ptr<State> self) {
    while (!self->stopping) {
      const Result<bool> changed = co_await self->remote_pass();
      CO_TRY(self->pause_after(changed, false));
    }
    co_return Result<void>{};
  }

  /// `more`: there may be more to do at once although something failed.
  Task<void> pause_after(Result<bool> changed, bool more) {
    if (!changed.ok()) {
      log(LogLevel::kWarn, "tiering", "garbage collection: {}; trying again later", to_string(changed.error()));
    }
    const bool at_once = more || (changed.ok() && *changed);
    const Duration pause = at_once ? kBreath : options.interval;
    for (Duration slept{0}; slept < pause && !stopping; slept += kStep) {
      CO_TRY(sleep_for(std::min(kStep, pause - slept)));
    }
    co_return Result<void>{};
  }

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
