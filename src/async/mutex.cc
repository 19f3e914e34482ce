#include "async/mutex.h"

namespace tombolo {

Task<AsyncMutex::Guard> AsyncMutex::lock() {
  OneShot<void> turn;
  {
    const std::lock_guard lock(mutex_);
    if (!held_) {
      held_ = true;
      turn.set({});
    } else {
      waiters_.push_back(turn);
    }
  }
  CO_TRY(turn.wait());
  co_return Guard(this);
}

void AsyncMutex::unlock() {
  OneShot<void> next;
  {
    const std::lock_guard lock(mutex_);
    if (waiters_.empty()) {
      held_ = false;
      return;
    }
    next = waiters_.front();
    waiters_.pop_front();
  }
  next.set({});  // held_ stays true: ownership passes on
}

}  // namespace tombolo
