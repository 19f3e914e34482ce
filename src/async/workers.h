// Workers: a bounded pool for blocking or heavy work; offload() sends a function there and comes back.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "async/one_shot.h"

namespace tombolo {

struct WorkersOptions {
  unsigned threads = 4;         // threads of the pool; 0: submit() does the work itself, for simulation
  unsigned queue_max = 65'536;  // submitted and unfinished work past which submit refuses
};

/// Thread-safe. The destructor waits for running work.
class Workers {
 public:
  explicit Workers(WorkersOptions options = {});
  ~Workers();
  Workers(const Workers&) = delete;

  /// False when the queue is full; then `work` was not taken.
  [[nodiscard]] bool submit(std::function<void()> work);
  /// Submitted and unfinished work, and the number of it past which submit refuses.
  unsigned pending() const { return pending_.load(std::memory_order_relaxed); }
  unsigned queue_max() const { return queue_max_; }

 private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
  const unsigned queue_max_;
  std::atomic<unsigned> pending_{0};
};

/// Runs `work` (a callable giving Result<T>) on `workers` and resumes on the caller's executor. Work cannot be
/// cancelled once queued: what it refers to must outlive it, and it does when the awaiting coroutine owns it, because
/// that coroutine does not resume before. What it captured is destroyed on the worker, before the caller resumes. kBusy
/// when the queue is full.
template <class F, class R = std::invoke_result_t<F>>
Task<typename R::value_type> offload(Workers& workers, F work) {
  OneShot<typename R::value_type> done;
  auto held = std::make_shared<std::optional<F>>(std::move(work));
  std::function<void()> job = [done, held = std::move(held)] {
    R result = (**held)();
    held->reset();
    done.set(std::move(result));
  };
  if (!workers.submit(std::move(job))) co_return Error{Code::kBusy, "too much work is queued; try again later"};
  co_return co_await done.wait();
}

}  // namespace tombolo
