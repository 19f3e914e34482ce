// VirtualTime: the time of an event loop that passes only when nothing else is left to do there. For simulation.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>

#include "async/task.h"
#include "base/assert.h"
#include "base/clock.h"

namespace tombolo {

/// Those who wait on one loop, by when. Its presence in an execution context is what makes sleep_for virtual there.
class Sleepers final : public boost::asio::execution_context::service {
 public:
  using key_type = Sleepers;
  static boost::asio::execution_context::id id;

  explicit Sleepers(boost::asio::execution_context& context) : service(context) {}
  /// What sleep_for does. `timer` only carries the wait, and its cancellation.
  Task<void> sleep(Duration duration);

 private:
  friend class VirtualTime;
  struct Sleeper {
    boost::asio::steady_timer* timer;
    bool* woken;
  };
  void shutdown() noexcept override {}

  ManualClock* clock_ = nullptr;
  std::uint64_t count_ = 0;  // keeps those of one instant in order
  std::map<std::pair<std::int64_t, std::uint64_t>, Sleeper> waiting_;
};

/// Makes sleep_for on `loop` virtual for good, so that time is `clock`'s and goes on only through this. Both outlive
/// it. For a loop that one thread runs.
class VirtualTime {
 public:
  VirtualTime(boost::asio::io_context& loop, ManualClock& clock);

  /// Runs what is ready until `task` has ended, and lets time pass whenever nothing is ready. kDeadline when it has not
  /// ended after `limit`, or when nobody is left who could end it: then it still lives on the loop, and so does
  /// whatever it refers to.
  template <class T>
  Result<T> run(Task<T> task, Duration limit);
  /// Runs what is ready now; no time passes.
  void settle();
  std::size_t sleepers() const { return sleepers_.waiting_.size(); }

 private:
  /// One handler, or else time up to the next sleeper, if that is not past `end`. False: neither.
  bool step(SteadyTime end);

  boost::asio::io_context& loop_;
  ManualClock& clock_;
  Sleepers& sleepers_;
};

template <class T>
Result<T> VirtualTime::run(Task<T> task, Duration limit) {
  struct Outcome {
    Result<T> result = Error{Code::kDeadline, "the task has not ended in time"};
    bool done = false;
  };
  const auto outcome = std::make_shared<Outcome>();
  boost::asio::co_spawn(loop_, std::move(task), [outcome](std::exception_ptr exception, Result<T> result) {
    if (exception) std::rethrow_exception(exception);
    outcome->result = std::move(result);
    outcome->done = true;
  });
  const SteadyTime end = clock_.steady() + limit;
  while (!outcome->done && step(end)) {
  }
  return std::move(outcome->result);
}

}  // namespace tombolo
