// KeysAtWork: which keys of which remotes this process writes or deletes right now, one at a time each.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace tombolo::store {

/// Thread-safe. An offload holds the key from before its intent until its place is named, the collector from its
/// verdict until the remote object and the row K are gone: else a delete that was decided for old bytes reaches the new
/// ones that an offload has put under the same key meanwhile. The handles must not outlive this.
class KeysAtWork {
 public:
  enum class Work { kOffload, kCollect };

  class Handle {
   public:
    Handle(KeysAtWork& keys, std::pair<std::string, std::string> key) : keys_(&keys), key_(std::move(key)) {}
    Handle(Handle&& other) noexcept : keys_(std::exchange(other.keys_, nullptr)), key_(std::move(other.key_)) {}
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      if (keys_ != nullptr) keys_->leave(key_);
    }

   private:
    KeysAtWork* keys_;
    std::pair<std::string, std::string> key_;
  };

  /// nullopt while somebody is at it.
  std::optional<Handle> enter(const std::string& remote, const std::string& key, Work work);
  /// Who is at it, if anybody.
  std::optional<Work> at(const std::string& remote, const std::string& key) const;

 private:
  void leave(const std::pair<std::string, std::string>& key);

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Work> keys_;
};

}  // namespace tombolo::store
