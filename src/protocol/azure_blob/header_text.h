// Reading one header that may come once, and the length that is announced.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace tombolo::azure_blob {

/// The one value, without surrounding blanks. Absent and empty are the same: nullopt. InvalidHeaderValue when the
/// header comes twice.
Result<std::optional<std::string_view>> only(const http::Headers& headers, std::string_view name);

/// "true" or "false" in any case; absent is false. InvalidHeaderValue otherwise.
Result<bool> flag(const http::Headers& headers, std::string_view name);

/// All digits, no sign, fits 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// A version of the service as requests name it: "2021-12-02".
bool is_service_version(std::string_view text);

/// The length of the request's body. MissingContentLengthHeader: none is announced (a chunked body);
/// RequestBodyTooLarge.
Result<std::uint64_t> body_length(const http::RequestHead& head, std::uint64_t limit);

}  // namespace tombolo::azure_blob
