// Remotes: the configured external stores, by name.
#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tombolo::remote {
class Remote;
}

namespace tombolo::store {

/// Error::detail of find() for a remote that is being opened: wait a little and ask again.
inline constexpr std::string_view kRemoteOpening = "RemoteOpening";

/// Thread-safe. A remote that was handed out lives as long as somebody holds it, also after its removal here.
class Remotes {
 public:
  /// Adds or replaces (new credentials: the next operation uses them).
  void set(std::string name, std::shared_ptr<remote::Remote> remote);
  /// Configured, and down with kRemoteOpening until opened() or one of the others says more.
  void set_opening(std::string name);
  /// What the opening came to: a remote, or why there is none. Without effect when another call has decided meanwhile.
  void opened(std::string name, Result<std::shared_ptr<remote::Remote>> outcome);
  /// Configured, and out of reach until set() takes it into use: find() says `why`.
  void set_down(std::string name, std::string why);
  void remove(const std::string& name);
  /// kUnavailable when it is down, and when no remote of the name is configured: gens name it, so its absence is a
  /// fault of configuration.
  Result<std::shared_ptr<remote::Remote>> find(const std::string& name) const;
  /// In byte order.
  std::vector<std::string> names() const;

 private:
  static Error down(const std::string& name, const std::string& why);

  mutable std::shared_mutex mutex_;
  std::map<std::string, Result<std::shared_ptr<remote::Remote>>> by_name_;
};

}  // namespace tombolo::store
