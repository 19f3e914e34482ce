// Range and x-ms-range.
#pragma once

#include <optional>

#include "base/result.h"
#include "http/message.h"
#include "store/types.h"

namespace tombolo::azure_blob {

/// Whether it applies, If-Range says, which is for whoever reads to heed.
/// "bytes=first-" or "bytes=first-last"; x-ms-range beats Range. Several ranges, suffixes ("bytes=-5"), other units and
/// nonsense are no range, in either header: Azure answers with everything (Azurite #2458), and the Java SDK counts on
/// it, which asks for "bytes=0--1" of an empty blob. InvalidHeaderValue: two x-ms-range.
Result<std::optional<store::ByteRange>> parse_range(const http::Headers& headers);

/// Whether either header came, whatever it says: what is no range is ignored, and what was asked of it too.
bool names_range(const http::Headers& headers);

}  // namespace tombolo::azure_blob
