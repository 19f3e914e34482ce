// File descriptors: as many as the system allows, and how many connections they are enough for.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace tombolo::server {

/// Descriptors that connections leave to everything else: segments, index, log, remotes.
inline constexpr std::uint64_t kDescriptorsKept = 2'048;
/// Connections of one listener of the admin API, which has a handful of clients.
inline constexpr std::uint64_t kAdminConnectionsMax = 256;

/// Raises the soft limit of this process to the hard one, and gives it.
Result<std::uint64_t> raise_descriptor_limit();

/// At most `wanted`; fewer when that many would leave less than kDescriptorsKept of `limit` descriptors, and never less
/// than half of them.
std::uint64_t connections_that_fit(std::uint64_t wanted, std::uint64_t limit);

}  // namespace tombolo::server
