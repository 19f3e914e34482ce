// Task<T>: a lazily started coroutine that gives Result<T>.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <coroutine>

#include "async/frames.h"
#include "base/result.h"

namespace tombolo {

using Executor = boost::asio::any_io_executor;

/// co_await it exactly once, from another Task; it runs on the awaiting Task's executor. An exception out of it is a
/// bug or a cancellation (HOUSE 14), never an answer.
template <class T = void>
using Task = boost::asio::awaitable<Result<T>>;

/// Asio's frame of a Task, in memory of ours. Adds no member: Asio finds its base by address.
template <class T>
struct TaskFrame : boost::asio::detail::awaitable_frame<Result<T>, Executor> {
  using Base = boost::asio::detail::awaitable_frame<Result<T>, Executor>;

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

  // An awaitable wants to be awaited by Asio's own frame.
  template <class U>
  struct Awaiter {
    boost::asio::awaitable<U, Executor> awaited;
    bool await_ready() const noexcept { return awaited.await_ready(); }
    void await_suspend(std::coroutine_handle<TaskFrame> caller) {
      awaited.await_suspend(std::coroutine_handle<Base>::from_promise(caller.promise()));
    }
    U await_resume() { return awaited.await_resume(); }
  };
  using Base::await_transform;
  template <class U>
  Awaiter<U> await_transform(boost::asio::awaitable<U, Executor> awaited) {
    return {Base::await_transform(std::move(awaited))};
  }
};

}  // namespace tombolo

/// More specialised than Asio's for every awaitable, so this is the one that Tasks get.
template <class T, class... Args>
struct std::coroutine_traits<boost::asio::awaitable<tombolo::Result<T>, tombolo::Executor>, Args...> {
  using promise_type = tombolo::TaskFrame<T>;
  static_assert(sizeof(promise_type) == sizeof(typename promise_type::Base) &&
                alignof(promise_type) == alignof(typename promise_type::Base));
};
