// x-ms-meta-* headers.
#pragma once

#include "base/result.h"
#include "http/message.h"
#include "meta/model/container.h"

namespace tombolo::azure_blob {

inline constexpr std::size_t kMetadataBytes = 8 * 1024;  // names and values together, as Azure counts

/// In the order sent, names in the case sent; a name that comes twice (ignoring case) has its values joined by ",".
/// EmptyMetadataKey; InvalidMetadata: a name that is no C# identifier, a value outside printable ASCII;
/// MetadataTooLarge.
Result<meta::Metadata> parse_metadata(const http::Headers& headers);

void add_metadata(http::Headers& headers, const meta::Metadata& metadata);

}  // namespace tombolo::azure_blob
