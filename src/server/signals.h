// Signals: what ends a server that runs: the process' signals, or its cell that has stopped for good.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <optional>

#include "base/error.h"
#include "base/result.h"

namespace tombolo::server {

/// The process' SIGTERM, SIGINT and SIGHUP, kept from construction on until somebody waits for them: one at a time in a
/// process. Once this object is gone a second SIGTERM or SIGINT ends the process at once, and SIGHUP is ignored.
class Signals {
 public:
  Signals() = default;
  Signals(const Signals&) = delete;
  ~Signals();

  /// Blocks until the first SIGTERM or SIGINT. Calls `hangup` at each SIGHUP, and `failed` every second: the error
  /// that it gives ends the wait, and is the answer. Both on the calling thread.
  Result<void> wait(const std::function<void()>& hangup, const std::function<std::optional<Error>()>& failed);

 private:
  /// 0: none within a second.
  int next();

  boost::asio::io_context loop_{1};
  boost::asio::signal_set set_{loop_, SIGTERM, SIGINT, SIGHUP};
};

}  // namespace tombolo::server
