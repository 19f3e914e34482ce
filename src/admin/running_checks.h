// RunningChecks: how far each fsck is that somebody watches.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tiering/fsck.h"

namespace tombolo::admin {

/// Thread-safe.
class RunningChecks : public std::enable_shared_from_this<RunningChecks> {
 public:
  /// In the list while this lives.
  class Entry {
   public:
    Entry(std::shared_ptr<RunningChecks> list, std::string name) : list_(std::move(list)), name_(std::move(name)) {}
    Entry(const Entry&) = delete;
    ~Entry() {
      const std::lock_guard lock(list_->mutex_);
      list_->by_name_.erase(name_);
    }
    void set(const tiering::FsckCounts& counts) {
      const std::lock_guard lock(list_->mutex_);
      list_->by_name_[name_] = counts;
    }

   private:
    const std::shared_ptr<RunningChecks> list_;
    const std::string name_;
  };

  /// nullptr when one runs under the name.
  std::shared_ptr<Entry> begin(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (!by_name_.try_emplace(name).second) return nullptr;
    return std::make_shared<Entry>(shared_from_this(), name);
  }
  std::optional<tiering::FsckCounts> find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, tiering::FsckCounts> by_name_;
};

}  // namespace tombolo::admin
