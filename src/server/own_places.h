// Own places: what a remote must not be, because this server would offload to itself.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "server/settings.h"

namespace tombolo::server {

/// kInvalid when `endpoint` (a URL or an absolute directory, as of a remote) is this server's own listener `blob`, or
/// lies in its data directory. A name that leads here by DNS or through a proxy is not seen.
Result<void> check_not_own(std::string_view endpoint, const Endpoint& blob, const std::string& data);

}  // namespace tombolo::server
