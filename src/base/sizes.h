// Sizes as people write them: "64MiB".
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace tombolo {

/// A whole number, with KiB, MiB, GiB or TiB right behind it or nothing. kInvalid says what it should be, to follow
/// "… is not ".
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace tombolo
