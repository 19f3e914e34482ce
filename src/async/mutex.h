// AsyncMutex: mutual exclusion across coroutines of several threads.
#pragma once

#include <deque>
#include <mutex>

#include "async/one_shot.h"

namespace tombolo {

/// First come, first served. A lock may be held across co_await, unlike std::mutex.
class AsyncMutex {
 public:
  class Guard {
   public:
    Guard() = default;
    explicit Guard(AsyncMutex* mutex) : mutex_(mutex) {}
    Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Guard& operator=(Guard&& other) noexcept {
      std::swap(mutex_, other.mutex_);
      return *this;
    }
    ~Guard() {
      if (mutex_ != nullptr) mutex_->unlock();
    }

   private:
    AsyncMutex* mutex_ = nullptr;
  };

  Task<Guard> lock();

 private:
  void unlock();

  std::mutex mutex_;
  bool held_ = false;
  std::deque<OneShot<void>> waiters_;
};

}  // namespace tombolo
