#include "server/runtime.h"

#include <sched.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "base/log.h"

namespace tombolo::server {

namespace asio = boost::asio;

struct Runtime::Loop {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
  std::thread thread{[this] { context.run(); }};
};

namespace {
// Those that this process may run on: a container or taskset may leave it fewer than the machine has.
unsigned cores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return std::max(1u, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&allowed)));
}
}  // namespace

Runtime::Runtime(RuntimeOptions options) : workers_({.threads = options.workers == 0 ? 4 * cores() : options.workers}) {
  const unsigned count = options.loops == 0 ? cores() : options.loops;
  for (unsigned i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>());
}

Runtime::~Runtime() {
  for (const auto& loop : loops_) loop->work.reset();
  for (const auto& loop : loops_) {
    loop->context.stop();
    loop->thread.join();
  }
}

std::vector<Executor> Runtime::loops() const {
  std::vector<Executor> executors;
  for (const auto& loop : loops_) executors.emplace_back(loop->context.get_executor());
  return executors;
}

Executor Runtime::background() const {
  return loops_.back()->context.get_executor();
}

}  // namespace tombolo::server
