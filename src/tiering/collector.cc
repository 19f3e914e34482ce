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

  Task<bool> pass() {
    CO_TRY_ASSIGN(const auto only, turn.lock());
    // Each step is tried whatever became of the others: a row that stops one must not fill the disk.
    const Result<bool> purged = co_await collect_purges(*this);
    const Result<bool> expired = co_await collect_uploads(*this);
    const Result<bool> erased = co_await collect_candidates(*this);
    const Result<bool> freed = co_await collect_segments(*this);
    bool changed = false;
    for (const Result<bool>* step : {&purged, &expired, &erased, &freed}) {
      if (!step->ok()) co_return step->error();
      changed = changed || **step;
    }
    co_return changed;
  }

  Task<bool> free_segments() {
    CO_TRY_ASSIGN(const auto only, turn.lock());
    co_return co_await collect_segments(*this);
  }

  static Task<void> loop(std::shared_ptr<State> self) {
    // First of all: a process that is killed again and again before a pass gets this far gives space back nevertheless.
    const Result<bool> freed = co_await self->free_segments();
    if (!freed.ok()) log(LogLevel::kWarn, "tiering", "freeing segments: {}; trying again", to_string(freed.error()));
    while (!self->stopping) {
      const Result<bool> changed = co_await self->pass();
      if (!changed.ok()) {
        log(LogLevel::kWarn, "tiering", "garbage collection: {}; trying again later", to_string(changed.error()));
      }
      const bool at_once = changed.ok() && *changed;
      const Duration pause = at_once ? kBreath : self->options.interval;
      for (Duration slept{0}; slept < pause && !self->stopping; slept += kStep) {
        CO_TRY(sleep_for(std::min(kStep, pause - slept)));
      }
    }
    co_return Result<void>{};
  }

  static constexpr Duration kBreath = std::chrono::milliseconds(10);
  static constexpr Duration kStep = std::chrono::milliseconds(100);  // stop() waits at most so long for a sleeper
  const Executor executor;
  AsyncMutex turn;
  Scope scope{"collector"};
};

Collector::Collector(store::Services& services, Executor executor, CollectorOptions options)
    : state_(std::make_shared<State>(services, std::move(executor), options)) {}

Collector::~Collector() = default;

void Collector::start() {
  state_->scope.spawn(state_->executor, State::loop(state_));
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
