#include "async/workers.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace tombolo {

struct Workers::Pool {
  explicit Pool(unsigned count) : threads(count) {}
  boost::asio::thread_pool threads;
};

Workers::Workers(WorkersOptions options)
    : pool_(options.threads == 0 ? nullptr : std::make_unique<Pool>(options.threads)), queue_max_(options.queue_max) {}

Workers::~Workers() {
  if (pool_) pool_->threads.join();
}

bool Workers::submit(std::function<void()> work) {
  if (pending_.fetch_add(1, std::memory_order_relaxed) >= queue_max_) {
    pending_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  if (!pool_) {
    work();
    pending_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }
  boost::asio::post(pool_->threads, [this, run = std::move(work)] {
    run();
    pending_.fetch_sub(1, std::memory_order_relaxed);
  });
  return true;
}

}  // namespace tombolo
