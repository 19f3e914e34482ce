#include "http/waiting_list.h"

#include "base/assert.h"

namespace tombolo::http {

bool WaitingList::evict_oldest() {
  if (waiting_.empty()) return false;
  Waiter& waiter = *waiting_.front();
  leave(waiter);
  waiter.give_way();
  return true;
}

void WaitingList::enter(Waiter& waiter) {
  ASSERT(!waiter.own_.empty());
  waiter.since_ = deadline_after({});
  const bool first = waiting_.empty();
  waiting_.splice(waiting_.end(), waiter.own_);
  if (first) publish();
}

void WaitingList::leave(Waiter& waiter) {
  if (!waiter.own_.empty()) return;
  const bool first = waiter.place_ == waiting_.begin();
  waiter.own_.splice(waiter.own_.begin(), waiting_, waiter.place_);
  if (first) publish();
}

void WaitingList::publish() {
  const Deadline first = waiting_.empty() ? Deadline::max() : waiting_.front()->since_;
  oldest_.store(first.time_since_epoch().count(), std::memory_order_relaxed);
}

}  // namespace tombolo::http
