// run_to_end: drives one task on an event loop of its own. For tests, tools and the start and stop of the server.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <future>

#include "async/task.h"
#include "base/assert.h"

namespace tombolo {

/// Blocks until `task` has ended; other work posted to the same executor is run meanwhile. May be called again on the
/// same loop.
template <class T>
Result<T> run_to_end(boost::asio::io_context& loop, Task<T> task) {
  Result<T> out = Error{Code::kInternal, "the task never ended"};
  bool done = false;
  loop.restart();  // a loop that ran out of work before is stopped
  boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr exception, Result<T> result) {
    if (exception) std::rethrow_exception(exception);
    out = std::move(result);
    done = true;
  });
  auto guard = boost::asio::make_work_guard(loop);
  while (!done && loop.run_one() != 0) {
  }
  guard.reset();
  return out;
}

template <class T>
Result<T> run_to_end(Task<T> task) {
  boost::asio::io_context loop(1);
  return run_to_end(loop, std::move(task));
}

/// Blocks the calling thread until `task` has ended on `executor`, whose event loop other threads run: for what keeps
/// the executor that it was opened on. Never call it from that loop.
template <class T>
Result<T> run_on(const Executor& executor, Task<T> task) {
  std::promise<Result<T>> ended;
  boost::asio::co_spawn(executor, std::move(task), [&ended](std::exception_ptr exception, Result<T> result) {
    if (exception) {
      ended.set_exception(exception);
    } else {
      ended.set_value(std::move(result));
    }
  });
  return ended.get_future().get();
}

}  // namespace tombolo
