#include "server/run_at_most.h"

#include <future>
#include <thread>
#include <utility>

namespace tombolo::server {

bool run_at_most(Duration limit, std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  const std::future<void> ended = task.get_future();
  std::thread(std::move(task)).detach();
  return ended.wait_for(limit) == std::future_status::ready;
}

}  // namespace tombolo::server
