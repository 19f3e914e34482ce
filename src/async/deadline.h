// with_deadline: a task, or kDeadline when it takes too long.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "async/sleep.h"

namespace tombolo {

/// Cancels `task` when `limit` has passed and gives kDeadline. The task must stand Asio's terminal cancellation: socket
/// and timer waits do; OneShot::wait and offload do not (wrap only what is cancellable).
template <class T>
Task<T> with_deadline(Task<T> task, Duration limit) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto first = co_await (std::move(task) || sleep_for(limit));
  if (first.index() == 0) co_return std::move(std::get<0>(first));
  co_return Error{Code::kDeadline, "the operation took longer than allowed"};
}

}  // namespace tombolo
