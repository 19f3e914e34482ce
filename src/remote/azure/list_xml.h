// The answer of List Blobs.
#pragma once

#include "base/bytes.h"
#include "remote/remote.h"

namespace tombolo::remote::azure {

inline constexpr std::size_t kListBytesMax = 32 * 1024 * 1024;

/// kUnavailable, naming what is wrong, for anything but a well-formed listing: DOCTYPE, text behind the root, depth, a
/// blob without name, size or ETag. Versions, snapshots and prefixes are not asked for and refused.
Result<ListPage> parse_list(BytesView xml);

}  // namespace tombolo::remote::azure
