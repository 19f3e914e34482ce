// DirectoryOpener: opens the directories of file remotes, each on threads of its own.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "async/workers.h"
#include "base/clock.h"
#include "base/random.h"
#include "remote/remote.h"

namespace tombolo::server {

/// Judges an endpoint that an administrator names; it may block.
using CheckPlace = std::function<Result<void>(const std::string& endpoint)>;

/// Thread-safe. What it is given outlives it, and it outlives what it opened. The destructor waits for ever where a
/// mount hangs.
class DirectoryOpener {
 public:
  DirectoryOpener(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  struct Opening {
    std::string name;  // of the remote
    std::string directory;
    bool may_be_made = false;     // a place that was just named may be empty
    CheckPlace check_place = {};  // asked first, if any
  };
  /// Hangs where the mount does. kUnavailable while another opening of that directory for that name does so, or when
  /// the directory is not the remote's (remote/file); what `check_place` says.
  Task<std::shared_ptr<remote::Remote>> open(Opening opening);

 private:
  Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::set<std::string> under_way_;  // names and directories: one that hangs keeps no more threads than it has
  // Of one remote each: calls on a mount that hangs wait for ever, and nobody else's with them.
  std::vector<std::shared_ptr<Workers>> workers_;
};

}  // namespace tombolo::server
