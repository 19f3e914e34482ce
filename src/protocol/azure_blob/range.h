// Range and x-ms-range.
#pragma once

#include <optional>

#include "base/result.h"
#include "http/message.h"
#include "store/types.h"

namespace tombolo::azure_blob {

/// Whether it applies, If-Range says, which is for whoever reads to heed.
/// "bytes=first-" or "bytes=first-last"; x-ms-range beats Range. Several ranges, suffixes ("bytes=-5"), other units and
/// nonsense: ignored in Range, as RFC 9110 has it, InvalidHeaderValue in x-ms-range, which only Azure clients send.
Result<std::optional<store::ByteRange>> parse_range(const http::Headers& headers);

}  // namespace tombolo::azure_blob
