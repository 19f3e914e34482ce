#include "store/remotes.h"

#include <mutex>

namespace tombolo::store {

void Remotes::set(std::string name, std::shared_ptr<remote::Remote> remote) {
  const std::unique_lock lock(mutex_);
  by_name_.insert_or_assign(std::move(name), std::move(remote));
}

Error Remotes::down(const std::string& name, const std::string& why) {
  return {Code::kUnavailable, "remote \"" + name + "\" is down: " + why};
}

void Remotes::set_opening(std::string name) {
  Error opening{Code::kUnavailable,
                "remote \"" + name +
                    "\" is not opened yet: if that takes long, its directory may be a mount whose server "
                    "does not answer",
                kRemoteOpening};
  const std::unique_lock lock(mutex_);
  by_name_.insert_or_assign(std::move(name), std::move(opening));
}

void Remotes::opened(std::string name, Result<std::shared_ptr<remote::Remote>> outcome) {
  if (!outcome.ok()) outcome = down(name, outcome.error().message);
  const std::unique_lock lock(mutex_);
  const auto now = by_name_.find(name);
  const bool opening = now != by_name_.end() && !now->second.ok() && now->second.error().detail == kRemoteOpening;
  if (opening) now->second = std::move(outcome);
}

void Remotes::set_down(std::string name, std::string why) {
  Error error = down(name, why);
  const std::unique_lock lock(mutex_);
  by_name_.insert_or_assign(std::move(name), std::move(error));
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
