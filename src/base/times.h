// Dates as the protocols write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tombolo {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 IMF-fixdate); the sub-second part is cut.
std::string http_date(WallTime time);
/// IMF-fixdate only; nullopt otherwise (obsolete forms are refused).
std::optional<WallTime> parse_http_date(std::string_view text);

/// "2026-11-21T04:54:52.1234560Z": seven digits, as Azure writes versions and snapshots.
std::string iso8601_7(WallTime time);
/// "2026-11-21T04:54:52Z"
std::string iso8601(WallTime time);
/// Accepts YYYY-MM-DD, YYYY-MM-DDThh:mmZ, …Thh:mm:ssZ and fractions of 1 to 7 digits (Azure SAS).
std::optional<WallTime> parse_iso8601(std::string_view text);

}  // namespace tombolo
