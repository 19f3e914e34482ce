#include "server/signals.h"

#include <chrono>
#include <csignal>

namespace tombolo::server {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(1);

}  // namespace

Signals::~Signals() {
  set_.clear();
  std::signal(SIGHUP, SIG_IGN);  // its default would kill a server that is stopping
}

int Signals::next() {
  int got = 0;
  set_.async_wait([&got](const boost::system::error_code& none, int number) { got = none ? 0 : number; });
  loop_.restart();
  loop_.run_for(kLookEvery);
  set_.cancel();  // a signal that comes meanwhile is kept for the next wait
  loop_.restart();
  loop_.run();
  return got;
}

Result<void> Signals::wait(const std::function<void()>& hangup, const std::function<std::optional<Error>()>& failed) {
  while (true) {
    const int got = next();
    if (got == SIGTERM || got == SIGINT) return {};
    if (got == SIGHUP) hangup();
    if (auto error = failed()) return *std::move(error);
  }
}

}  // namespace tombolo::server
