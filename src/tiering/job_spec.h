// What the rows of tiering's jobs say is to be done (docs/formats/job-specs.md).
#pragma once

#include <string>

#include "tiering/offload.h"
#include "tiering/recall.h"

namespace tombolo::tiering {

std::string encode(const OffloadSpec& spec);
std::string encode(const RecallSpec& spec);
/// kCorrupt, or kUnsupported for a layout newer than this program.
Result<OffloadSpec> decode_offload(std::string_view value);
Result<RecallSpec> decode_recall(std::string_view value);

/// "photos/2024" of container and prefix, for titles.
std::string title_of(const store::ContainerRef& container, const std::string& prefix);

}  // namespace tombolo::tiering
