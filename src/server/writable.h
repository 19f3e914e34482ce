// Writable: whether a cell takes writes, and what to tell a person when it does not.
#pragma once

#include <optional>
#include <string>

#include "kv/log/log_engine.h"

namespace tombolo::server {

/// Set once the cell takes no writes until it is started again. The message says what to do.
std::optional<Error> stopped_for_good(const kv::LogEngineStatus& engine);

/// Why writes are refused now, and what to do; empty while they are taken.
std::string why_no_writes(const kv::LogEngineStatus& engine);

}  // namespace tombolo::server
