// File descriptors: as many as the system allows, and how many connections and segment files they are enough for.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace tombolo::server {

/// Descriptors that connections leave to everything else: segments, index, log, remotes.
inline constexpr std::uint64_t kDescriptorsKept = 2'048;
/// Connections of one listener of the admin API, which has a handful of clients.
inline constexpr std::uint64_t kAdminConnectionsMax = 256;

/// Files of segments that stay open without a reader, where descriptors abound: of 256 GiB.
inline constexpr std::uint32_t kIdleFilesMax = 4'096;

/// Raises the soft limit of this process to the hard one, and gives it.
Result<std::uint64_t> raise_descriptor_limit();

/// At most `wanted`; fewer when that many would leave less than kDescriptorsKept of `limit` descriptors, and never less
/// than half of them.
std::uint64_t connections_that_fit(std::uint64_t wanted, std::uint64_t limit);

/// At most kIdleFilesMax; fewer when those, of two descriptors each (one is for direct writes), would take more than
/// half of what `connections` leave of `limit`.
std::uint32_t idle_files_that_fit(std::uint64_t connections, std::uint64_t limit);

}  // namespace tombolo::server
