// OneShot<T>: hands one Result<T> from any thread to one waiting coroutine.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "async/task.h"

namespace tombolo {

/// A copyable handle on shared state: copy it into whoever will set it. set() may come before or after wait().
/// Requires: set() at most once, wait() at most once. The waiter resumes on its own executor. Not cancellable: whoever
/// holds the other copy must set it, also when it gives up (set an error).
template <class T = void>
class OneShot {
 public:
  OneShot() : state_(std::make_shared<State>()) {}

  void set(Result<T> result) const {
    const auto state = state_;
    // Posting happens under the lock, which the waiter takes too before it goes on: it may end its own event loop, and
    // this thread must be done with that loop by then.
    const std::lock_guard lock(state->mutex);
    state->result.emplace(std::move(result));
    if (const auto waiter = std::move(state->waiter)) waiter->resume();
  }

  Task<T> wait() const {
    auto state = state_;
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void()>(
        Initiate{}, boost::asio::use_awaitable, state);
    const std::lock_guard lock(state->mutex);
    co_return std::move(*state->result);
  }

 private:
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void resume() = 0;
  };
  struct State {
    std::mutex mutex;
    std::optional<Result<T>> result;
    std::unique_ptr<Waiter> waiter;
  };
  template <class Handler>
  struct HandlerWaiter final : Waiter {
    explicit HandlerWaiter(Handler given)
        : handler(std::move(given)), executor(boost::asio::get_associated_executor(handler)) {}
    void resume() override { boost::asio::post(executor, std::move(handler)); }
    Handler handler;
    Executor executor;
  };
  struct Initiate {
    template <class Handler>
    void operator()(Handler&& handler, std::shared_ptr<State> state) const {
      auto waiter = std::make_unique<HandlerWaiter<std::decay_t<Handler>>>(std::forward<Handler>(handler));
      {
        const std::lock_guard lock(state->mutex);
        if (!state->result) {
          state->waiter = std::move(waiter);
          return;
        }
      }
      waiter->resume();
    }
  };

  std::shared_ptr<State> state_;
};

}  // namespace tombolo
