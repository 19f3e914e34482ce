// PutOff: what failed for reasons of its own is left alone for a while, twice as long each time that it fails again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>

#include "base/clock.h"
#include "base/error.h"

namespace tombolo::tiering {

/// Of the thing itself: no other one fails for it, and trying this one again soon helps nobody.
inline bool is_damage(const Error& error) {
  return error.code == Code::kCorrupt || error.code == Code::kUnsupported;
}

/// Thread-safe. Remembers so many keys; what fails beyond is tried each time.
template <class Key>
class PutOff {
 public:
  /// `first`: how long the first time.
  explicit PutOff(Duration first) : first_(first) {}

  /// Whether `key` is still to be left alone.
  bool holds(const Key& key, SteadyTime now) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    return found != entries_.end() && now < found->second.until;
  }
  void failed(const Key& key, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= kKeysMax) {
      std::erase_if(entries_, [now](const auto& entry) { return entry.second.until <= now; });
    }
    if (entries_.size() >= kKeysMax && !entries_.contains(key)) return;
    Entry& entry = entries_[key];
    // Long over: whatever it was, this is another time.
    if (entry.times > 0 && now - entry.until > first_ * kTimesMax) entry.times = 0;
    entry.times = std::min(std::max(1u, entry.times * 2), kTimesMax);
    entry.until = now + first_ * entry.times;
  }

 private:
  static constexpr unsigned kTimesMax = 64;
  static constexpr std::size_t kKeysMax = 100'000;
  struct Entry {
    unsigned times = 0;  // the first wait
    SteadyTime until = {};
  };
  const Duration first_;
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;  // guarded by mutex_
};

}  // namespace tombolo::tiering
