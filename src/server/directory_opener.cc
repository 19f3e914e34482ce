#include "server/directory_opener.h"

#include <fmt/format.h>

#include <algorithm>

#include "remote/file/file_remote.h"

namespace tombolo::server {
namespace {

constexpr unsigned kThreads = 8, kCallsMax = 4'096;

/// A name in a set, for as long as this lives.
class Turn {
 public:
  Turn(std::mutex& mutex, std::set<std::string>& names, std::string name)
      : mutex_(mutex), names_(names), name_(std::move(name)) {
    const std::lock_guard lock(mutex_);
    taken_ = names_.insert(name_).second;
  }
  Turn(const Turn&) = delete;
  ~Turn() {
    const std::lock_guard lock(mutex_);
    if (taken_) names_.erase(name_);
  }
  bool taken() const { return taken_; }

 private:
  std::mutex& mutex_;
  std::set<std::string>& names_;
  const std::string name_;
  bool taken_ = false;
};

}  // namespace

Task<std::shared_ptr<remote::Remote>> DirectoryOpener::open(Opening opening) {
  const Turn turn(mutex_, under_way_, opening.name + " " + opening.directory);  // several remotes may share a directory
  if (!turn.taken()) {
    co_return Error{Code::kUnavailable,
                    fmt::format("\"{}\" is being opened already, and that hangs: does the server of "
                                "the mount that it lies on answer?",
                                opening.directory)};
  }
  remote::file::FileConfig config{.name = opening.name, .directory = opening.directory};
  if (opening.may_be_made) config.marker = remote::file::Marker::kMayBeMade;
  const WorkersOptions bounds{.threads = kThreads, .queue_max = kCallsMax};
  const auto workers = std::make_shared<Workers>(bounds);
  {
    const std::lock_guard lock(mutex_);
    workers_.push_back(workers);
  }
  // The calls on a directory block, and hang where its mount does.
  const auto open = [this, config, check = opening.check_place,
                     pool = workers.get()]() -> Result<std::shared_ptr<remote::Remote>> {
    if (check) {
      TRY(check(config.directory));
    }
    TRY_ASSIGN(auto opened, remote::file::FileRemote::open(config, *pool, clock_, random_));
    return std::shared_ptr<remote::Remote>(std::move(opened));
  };
  auto opened = co_await offload(*workers, open);
  if (opened.ok()) co_return opened;
  const std::lock_guard lock(mutex_);
  std::erase(workers_, workers);
  co_return opened;
}

}  // namespace tombolo::server
