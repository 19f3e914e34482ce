#include "store/keys_at_work.h"

#include "base/assert.h"

namespace tombolo::store {

std::optional<KeysAtWork::Handle> KeysAtWork::enter(const std::string& remote, const std::string& key, Work work) {
  std::pair<std::string, std::string> which(remote, key);
  const std::lock_guard lock(mutex_);
  if (!keys_.emplace(which, work).second) return std::nullopt;
  return Handle(*this, std::move(which));
}

std::optional<KeysAtWork::Work> KeysAtWork::at(const std::string& remote, const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find({remote, key});
  return found == keys_.end() ? std::nullopt : std::optional(found->second);
}

void KeysAtWork::leave(const std::pair<std::string, std::string>& key) {
  const std::lock_guard lock(mutex_);
  ASSERT(keys_.erase(key) == 1);
}

}  // namespace tombolo::store
