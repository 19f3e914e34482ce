// ETags of the Blob dialect: "0x" and the 16 hexadecimal digits of the etag stamp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"

namespace tombolo::azure_blob {

std::string etag_text(Stamp stamp);    // 0x0006441F8A3B2C10, as in listings of blobs
std::string etag_header(Stamp stamp);  // the same in quotes
/// Either form, in either case; nullopt for text that is no ETag of ours.
std::optional<Stamp> parse_etag(std::string_view text);

/// The wall time that a stamp stands for: Last-Modified, creation time.
inline WallTime time_of(Stamp stamp) {
  return {static_cast<std::int64_t>(stamp.micros)};
}

}  // namespace tombolo::azure_blob
