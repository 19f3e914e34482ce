#include "meta/held_seals.h"

#include "base/assert.h"

namespace tombolo::meta {

std::shared_ptr<const void> HeldSeals::hold(std::uint64_t seal_id) {
  {
    const std::lock_guard lock(mutex_);
    ASSERT(ids_.insert(seal_id).second);
  }
  return {this, [seal_id](HeldSeals* seals) {
            const std::lock_guard lock(seals->mutex_);
            seals->ids_.erase(seal_id);
          }};
}

bool HeldSeals::holds(std::uint64_t seal_id) const {
  const std::lock_guard lock(mutex_);
  return ids_.contains(seal_id);
}

}  // namespace tombolo::meta
