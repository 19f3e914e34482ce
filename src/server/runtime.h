// Runtime: the process' threads: one event loop a core, and workers for what blocks.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "async/task.h"
#include "async/workers.h"

namespace boost::asio {
class io_context;
}

namespace tombolo::server {

struct RuntimeOptions {
  unsigned loops = 0;    // 0: one a core
  unsigned workers = 0;  // 0: four a core
};

/// Runs from construction to destruction. Destroy what runs on it first.
class Runtime {
 public:
  explicit Runtime(RuntimeOptions options);
  ~Runtime();
  Runtime(const Runtime&) = delete;

  std::vector<Executor> loops() const;
  /// The loop that background work shares.
  Executor background() const;
  Workers& workers() { return workers_; }

 private:
  struct Loop;
  std::vector<std::unique_ptr<Loop>> loops_;
  Workers workers_;
};

}  // namespace tombolo::server
