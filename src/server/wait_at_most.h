// wait_at_most: with_deadline for what cannot be cancelled.
#pragma once

#include <boost/asio/this_coro.hpp>
#include <memory>
#include <optional>

#include "async/scope.h"
#include "async/sleep.h"

namespace tombolo::server {

template <class T>
Task<void> keep_result(Task<T> task, std::shared_ptr<std::optional<Result<T>>> to) {
  to->emplace(co_await std::move(task));
  co_return Result<void>{};
}

/// What `task` gives, or kDeadline when `limit` has passed. It then goes on in `scope`, on this event loop, for nobody:
/// what it refers to outlives the scope. kCancelled when the scope is closing.
template <class T>
Task<T> wait_at_most(Scope& scope, Task<T> task, Duration limit) {
  constexpr Duration kLook = std::chrono::milliseconds(10);
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto result = std::make_shared<std::optional<Result<T>>>();  // of this thread alone, as the task is
  if (!scope.spawn(executor, keep_result(std::move(task), result))) co_return Error{Code::kCancelled, "stopping"};
  for (Duration waited{0}; waited < limit; waited += kLook) {
    CO_TRY(sleep_for(kLook));
    if (*result) co_return std::move(**result);
  }
  co_return Error{Code::kDeadline, "the operation took longer than allowed"};
}

}  // namespace tombolo::server
