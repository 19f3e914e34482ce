#include "store/remotes.h"

#include <mutex>

namespace tombolo::store {

void Remotes::set(std::string name, std::shared_ptr<remote::Remote> remote) {
  const std::unique_lock lock(mutex_);
  by_name_.insert_or_assign(std::move(name), std::move(remote));
}

void Remotes::set_down(std::string name, std::string why) {
  Error down{Code::kUnavailable, "remote \"" + name + "\" is down: " + std::move(why)};
  const std::unique_lock lock(mutex_);
  by_name_.insert_or_assign(std::move(name), std::move(down));
}

void Remotes::remove(const std::string& name) {
  const std::unique_lock lock(mutex_);
  by_name_.erase(name);
}

Result<std::shared_ptr<remote::Remote>> Remotes::find(const std::string& name) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    return Error{Code::kUnavailable, "no remote named \"" + name +
                                         "\" is configured: `tombolo remote list` shows those there are, `tombolo "
                                         "remote add` makes one"};
  }
  return found->second;
}

std::vector<std::string> Remotes::names() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, remote] : by_name_) names.push_back(name);
  return names;
}

}  // namespace tombolo::store
