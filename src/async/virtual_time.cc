#include "async/virtual_time.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tombolo {

namespace asio = boost::asio;

asio::execution_context::id Sleepers::id;

Task<void> Sleepers::sleep(Duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  bool woken = false;
  const std::pair place{(clock_->steady() + duration).micros, ++count_};
  waiting_.emplace(place, Sleeper{&timer, &woken});
  boost::system::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  waiting_.erase(place);
  if (!woken) co_return Error{Code::kCancelled, "the wait was cancelled"};
  co_return Result<void>{};
}

VirtualTime::VirtualTime(asio::io_context& loop, ManualClock& clock)
    : loop_(loop), clock_(clock), sleepers_(asio::use_service<Sleepers>(loop)) {
  sleepers_.clock_ = &clock;
}

bool VirtualTime::step(SteadyTime end) {
  loop_.restart();
  if (loop_.poll_one() != 0) return true;
  if (sleepers_.waiting_.empty()) return false;
  const auto next = sleepers_.waiting_.begin();
  const SteadyTime at{next->first.first};
  if (at > end) return false;
  if (at > clock_.steady()) clock_.advance(at - clock_.steady());
  const Sleepers::Sleeper sleeper = next->second;
  sleepers_.waiting_.erase(next);
  *sleeper.woken = true;
  sleeper.timer->cancel();
  return true;
}

void VirtualTime::settle() {
  loop_.restart();
  while (loop_.poll_one() != 0) {
  }
}

}  // namespace tombolo
