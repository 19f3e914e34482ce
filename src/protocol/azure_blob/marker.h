// Markers of listings: opaque to clients, they hold the name behind which the next page starts.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tombolo::azure_blob {

/// ASCII. A marker names a place, not an entry, so it outlives deletes.
std::string make_marker(std::string_view start_after);
/// InvalidQueryParameterValue: not a marker that make_marker gave out (a version byte and a checksum tell).
Result<std::string> parse_marker(std::string_view marker);

}  // namespace tombolo::azure_blob
