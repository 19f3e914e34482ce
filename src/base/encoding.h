// Hex, base64 and percent encodings.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tombolo {

std::string hex_encode(BytesView bytes);                 // lower case
std::optional<Bytes> hex_decode(std::string_view text);  // either case
std::string base64_encode(BytesView bytes);              // RFC 4648 §4, padded
/// Strict RFC 4648 §4: padded, no white space, no stray bits.
std::optional<Bytes> base64_decode(std::string_view text);

/// Percent-decodes `text`; "+" stays "+". nullopt on a bad escape.
std::optional<std::string> percent_decode(std::string_view text);
/// Escapes every byte but RFC 3986 unreserved ones and those in `keep`.
std::string percent_encode(std::string_view text, std::string_view keep = {});

/// True when `text` is well-formed UTF-8 (no surrogates, no overlong forms). NUL is well formed.
bool is_utf8(std::string_view text);

/// True when a numeric character reference (&#0; or &#x0;) names NUL or what is beyond Unicode, anywhere in `xml`.
/// Parsers that keep texts as C strings end them there, so that what follows goes unseen.
bool has_bad_reference(std::string_view xml);

}  // namespace tombolo
