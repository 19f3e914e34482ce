// Headers of a blob, both ways.
#pragma once

#include "http/message.h"
#include "remote/remote.h"

namespace tombolo::remote::azure {

inline constexpr std::string_view kNonceName = "tombolo_nonce";  // metadata that tells whose put it was

/// As x-ms-blob-* and x-ms-meta-* of a request that writes.
void add_properties(http::Headers& to, const RemoteHeaders& headers);
/// From an answer to HEAD.
RemoteHeaders properties_of(const http::Headers& headers);
/// ETag, version and time; key and size are the caller's to know. Empty ETag where the answer has none.
RemoteObject object_of(const http::Headers& headers, std::string key, std::uint64_t size);

/// x-ms-content-crc64: the eight bytes of the CRC, least significant first, in base64.
std::string crc64_header(std::uint64_t crc);

}  // namespace tombolo::remote::azure
