#include "meta/held_seals.h"

#include "base/assert.h"

namespace tombolo::meta {

std::shared_ptr<const void> HeldSeals::hold(std::uint64_t seal_id, SteadyTime now) {
  {
    const std::lock_guard lock(mutex_);
    ASSERT(since_.emplace(seal_id, now).second);
  }
  return {this, [seal_id](HeldSeals* seals) {
            const std::lock_guard lock(seals->mutex_);
            seals->since_.erase(seal_id);
          }};
}

bool HeldSeals::holds(std::uint64_t seal_id, SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  const auto held = since_.find(seal_id);
  return held != since_.end() && now - held->second < kSealAgeMax;
}

}  // namespace tombolo::meta
