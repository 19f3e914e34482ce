// WaitingList: the connections of one event loop that have no request under way, the longest waiting first: who makes
// room when a full server is asked for one connection more.
#pragma once

#include <atomic>
#include <list>

#include "http/stream.h"

namespace tombolo::http {

/// Belongs to one event loop, but for oldest(). One list of each kind; who is on two is two Waiters.
class WaitingList {
 public:
  class Waiter {
   public:
    Waiter() = default;
    virtual ~Waiter() = default;
    Waiter(const Waiter&) = delete;

   private:
    friend class WaitingList;
    /// Called when it has been taken off the list: ends what waits.
    virtual void give_way() = 0;

    std::list<Waiter*> own_{this};  // its node while it is off the list, so that entering allocates nothing
    std::list<Waiter*>::iterator place_ = own_.begin();
    Deadline since_;
  };

  /// On the list while this lives, unless it is made to give way before. Both arguments outlive it.
  class Stay {
   public:
    Stay(WaitingList& list, Waiter& waiter) : list_(list), waiter_(waiter) { list_.enter(waiter_); }
    Stay(const Stay&) = delete;
    ~Stay() { list_.leave(waiter_); }

   private:
    WaitingList& list_;
    Waiter& waiter_;
  };

  /// False when nobody waits.
  bool evict_oldest();
  std::size_t size() const { return waiting_.size(); }
  /// Since when the first one has waited; Deadline::max() when nobody does. Any thread; may be outdated by then.
  Deadline oldest() const { return Deadline(Deadline::duration(oldest_.load(std::memory_order_relaxed))); }

 private:
  void enter(Waiter& waiter);
  void leave(Waiter& waiter);
  void publish();

  std::list<Waiter*> waiting_;
  std::atomic<Deadline::rep> oldest_{Deadline::max().time_since_epoch().count()};
};

}  // namespace tombolo::http
