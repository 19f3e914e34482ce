// Gauges: what is read from the running parts every few seconds and shown as metrics.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "async/task.h"
#include "http/server.h"
#include "server/cell.h"
#include "server/settings.h"
#include "tiering/census.h"

namespace tombolo::server {

/// What the listeners and admission count.
struct Fronts {
  std::map<std::string, http::ServerStats> listeners;
  std::uint64_t requests_running = 0;
};
using ReadFronts = std::function<Fronts()>;

/// Reads every kGaugesEvery until it is cancelled. What it is given outlives it.
/// `tls` may be null.
Task<void> refresh_gauges(Cell& cell, Workers& workers, Settings settings, ReadFronts read_fronts,
                          std::shared_ptr<http::TlsServer> tls);

using TakeCensus = std::function<Task<tiering::Census>()>;

/// Shows places and the exposed window as `take` finds them, with a rest between two looks, until it is cancelled. A
/// look that fails is logged, and the next one is taken as if it had not. What it is given outlives it.
Task<void> take_censuses(TakeCensus take, observe::Metrics& metrics, Clock& clock, Duration rest);

/// 0 for a stamp that is ahead of the clock.
double age_seconds(Stamp stamp, WallTime now);

inline constexpr Duration kGaugesEvery = std::chrono::seconds(5);

}  // namespace tombolo::server
