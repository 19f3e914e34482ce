// MD5 and CRC64 as headers carry them.
#pragma once

#include <optional>
#include <string>

#include "base/digest.h"
#include "base/result.h"
#include "http/message.h"
#include "store/types.h"

namespace tombolo::azure_blob {

/// Content-MD5 or x-ms-content-crc64: what the client promises of the body. InvalidMd5; InvalidHeaderValue for a CRC64
/// that is not the base64 of 8 bytes; BothCrc64AndMd5HeaderPresent.
Result<store::ExpectedDigests> parse_expected_digests(const http::Headers& headers);

/// Content-MD5 of a body. InvalidMd5, of an empty one too: it promises something, and not what.
Result<std::optional<Md5Digest>> parse_content_md5(const http::Headers& headers);

/// A header that holds an MD5 in base64; without a value it is absent (blobfuse2 sends such an x-ms-blob-content-md5,
/// AzCopy did: Azurite #238). InvalidMd5.
Result<std::optional<Md5Digest>> parse_md5(const http::Headers& headers, std::string_view name);

std::string md5_text(const Md5Digest& digest);
std::string crc64_text(std::uint64_t crc);  // base64 of the 8 bytes, least significant first

}  // namespace tombolo::azure_blob
