#include "async/sleep.h"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/virtual_time.h"

namespace tombolo {

namespace asio = boost::asio;

Task<void> sleep_for(Duration duration) {
  const Executor executor = co_await asio::this_coro::executor;
  auto& context = asio::query(executor, asio::execution::context);
  if (asio::has_service<Sleepers>(context)) co_return co_await asio::use_service<Sleepers>(context).sleep(duration);
  asio::steady_timer timer(executor, duration);
  boost::system::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Error{Code::kCancelled, "the wait was cancelled"};
  co_return Result<void>{};
}

}  // namespace tombolo
