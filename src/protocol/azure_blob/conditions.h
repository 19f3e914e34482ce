// If-Match and its kin.
#pragma once

#include "base/result.h"
#include "http/message.h"
#include "meta/model/conditions.h"

namespace tombolo::azure_blob {

/// If-Match, If-None-Match ("*", or ETags separated by commas, quoted or not), If-Modified-Since and
/// If-Unmodified-Since. InvalidHeaderValue: an empty ETag, a date that is no IMF-fixdate, a header given twice.
Result<meta::Conditions> parse_conditions(const http::Headers& headers);
/// The same of a read, which can never be of what is not there: UnsatisfiableCondition for If-None-Match "*".
Result<meta::Conditions> parse_read_conditions(const http::Headers& headers);

}  // namespace tombolo::azure_blob
