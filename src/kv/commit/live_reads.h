// LiveReads: which states the open transactions read, so that the conflict window knows what it may forget.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/assert.h"
#include "kv/kv.h"

namespace tombolo::kv {

/// Thread-safe.
class LiveReads {
 public:
  class Pin {
   public:
    Pin(LiveReads& owner, Sequence at) : owner_(&owner), at_(at) { owner.add(at); }
    Pin(Pin&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), at_(other.at_) {}
    Pin& operator=(Pin&&) = delete;
    Sequence at() const { return at_; }
    ~Pin() {
      if (owner_ != nullptr) owner_->remove(at_);
    }

   private:
    LiveReads* owner_;
    Sequence at_;
  };

  LiveReads() = default;
  LiveReads(const LiveReads&) = delete;
  /// Every Pin must be gone: a transaction may not outlive its engine.
  ~LiveReads() { ASSERT(counts_.empty()); }

  Pin pin(Sequence at) { return {*this, at}; }

  /// The oldest pinned state, or `otherwise` when nothing is pinned.
  Sequence oldest(Sequence otherwise) const {
    const std::lock_guard lock(mutex_);
    return counts_.empty() ? otherwise : std::min(otherwise, counts_.begin()->first);
  }

 private:
  void add(Sequence at) {
    const std::lock_guard lock(mutex_);
    ++counts_[at];
  }
  void remove(Sequence at) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(at);
    if (--found->second == 0) counts_.erase(found);
  }

  mutable std::mutex mutex_;
  std::map<Sequence, std::size_t> counts_;
};

}  // namespace tombolo::kv
