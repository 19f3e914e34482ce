// LargeHead: a connection whose head, unfinished or not answered yet, holds much memory.
#pragma once

#include <atomic>
#include <cstdint>

#include "http/input_buffer.h"
#include "http/waiting_list.h"

namespace tombolo::http {

/// Large heads that one event loop waits with: each holds up to 97 KiB, and strangers send them too. For one more, the
/// oldest of them is closed.
inline constexpr std::size_t kLargeHeadsMax = 64;

/// While this lives, its stream waits with a large head, for the rest of it or to be done with what came of it. Made
/// for one too many, it ends the oldest.
class LargeHead final : public WaitingList::Waiter {
 public:
  /// All outlive it. `evicted` counts those that gave way.
  LargeHead(WaitingList& list, Stream& stream, std::atomic<std::uint64_t>& evicted)
      : stream_(stream), stay_(list, *this) {
    if (list.size() > kLargeHeadsMax && list.evict_oldest()) evicted.fetch_add(1, std::memory_order_relaxed);
  }
  /// It gave way, maybe in the moment when more of it came.
  bool ended() const { return ended_; }

 private:
  void give_way() override {
    ended_ = true;
    stream_.cancel();
  }

  Stream& stream_;
  bool ended_ = false;
  const WaitingList::Stay stay_;
};

}  // namespace tombolo::http
