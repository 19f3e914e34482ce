#include "async/scope.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <mutex>
#include <vector>

#include "async/one_shot.h"
#include "base/assert.h"
#include "base/log.h"

namespace tombolo {

namespace asio = boost::asio;

struct Scope::State {
  struct Child {
    Executor executor;
    // Shared with the posted cancellation, which may run after the child has ended.
    std::shared_ptr<asio::cancellation_signal> signal = std::make_shared<asio::cancellation_signal>();
  };

  const std::string name;
  std::mutex mutex;
  bool closing = false;
  std::list<Child> children;
  std::vector<OneShot<void>> waiters;  // set when children becomes empty

  void ended(std::list<Child>::iterator child, std::exception_ptr exception, const Result<void>& result) {
    if (exception) report(exception);
    if (!result.ok() && result.error().code != Code::kCancelled) {
      log(LogLevel::kWarn, "async", "{}: {}", name, to_string(result.error()));
    }
    std::vector<OneShot<void>> wake;
    {
      const std::lock_guard lock(mutex);
      children.erase(child);
      if (children.empty()) wake.swap(waiters);
    }
    for (const auto& waiter : wake) waiter.set({});
  }

  void report(std::exception_ptr exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::operation_aborted) return;
      log(LogLevel::kError, "async", "{}: {}", name, error.what());
    } catch (const std::exception& error) {
      log(LogLevel::kError, "async", "{}: unexpected exception: {}", name, error.what());
      ASSERT(false && "an exception is a bug");
    }
  }
};

Scope::Scope(std::string name) : state_(std::make_shared<State>(std::move(name))) {}

Scope::~Scope() {
  ASSERT(size() == 0);
}

bool Scope::spawn(const Executor& executor, Task<void> task) {
  auto state = state_;
  std::list<State::Child>::iterator child;
  {
    const std::lock_guard lock(state->mutex);
    if (state->closing) return false;
    child = state->children.insert(state->children.end(), State::Child{executor});
  }
  asio::cancellation_slot slot = child->signal->slot();
  // The signal must stay alive until the handler has run, whatever erases the child.
  auto signal = child->signal;
  asio::co_spawn(executor, std::move(task),
                 asio::bind_cancellation_slot(
                     slot, [state, child, signal](std::exception_ptr exception, const Result<void>& result) {
                       state->ended(child, exception, result);
                     }));
  return true;
}

Task<void> Scope::join() {
  OneShot<void> empty;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->children.empty()) co_return Result<void>{};
    state_->waiters.push_back(empty);
  }
  co_return co_await empty.wait();
}

Task<void> Scope::close() {
  std::vector<State::Child> running;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
    running.assign(state_->children.begin(), state_->children.end());
  }
  for (const auto& child : running) {
    asio::post(child.executor, [signal = child.signal] { signal->emit(asio::cancellation_type::terminal); });
  }
  co_return co_await join();
}

std::size_t Scope::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->children.size();
}

}  // namespace tombolo
