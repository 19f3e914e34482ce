// The two orders in which clients sort x-ms- headers before signing.
#pragma once

#include <cstdint>
#include <string_view>

namespace tombolo::auth {

/// kCulture is what Azure and the current Microsoft SDKs do (.NET's en-US string comparison); kOrdinal, by byte value,
/// is what Hadoop, bbb, blobfile and Microsoft's older SDKs do. They differ only for names such as x-ms-meta-a_b
/// beside x-ms-meta-a1, or x-ms-meta-a-b beside x-ms-meta-ab.
enum class HeaderOrder : std::uint8_t { kCulture, kOrdinal };

/// True when `a` sorts before `b`. Requires lower-case header names (RFC 9110 tokens).
bool header_before(HeaderOrder order, std::string_view a, std::string_view b);

}  // namespace tombolo::auth
