// What a request names.
#pragma once

#include <cstdint>

namespace tombolo::azure_blob {

enum class Level : std::uint8_t { kService, kContainer, kBlob };

}  // namespace tombolo::azure_blob
