#include "async/side_by_side.h"

#include <boost/asio/this_coro.hpp>

#include "async/scope.h"

namespace tombolo {

// A cancellation that came before is thrown where the caller awaits this. One that came between spawn and join, in the
// caller, would leave the scope with tasks in it.
Task<void> side_by_side(std::string name, std::vector<Task<void>> tasks) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Scope scope(std::move(name));
  for (Task<void>& task : tasks) scope.spawn(executor, std::move(task));
  co_return co_await scope.join();
}

}  // namespace tombolo
