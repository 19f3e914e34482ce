// The headers that are stored with a blob.
#pragma once

#include "base/result.h"
#include "http/message.h"
#include "meta/model/object.h"

namespace tombolo::azure_blob {

/// Of a blob that is written without one.
inline constexpr std::string_view kDefaultContentType = "application/octet-stream";

enum class PlainHeaders {
  kFallBack,  // Put Blob: Content-Type, Content-Encoding … of the request count where no x-ms-blob-… is given
  kIgnore,    // elsewhere they describe the request's own body
};

/// x-ms-blob-content-type, -encoding, -language, -disposition, -md5 and x-ms-blob-cache-control. InvalidHeaderValue,
/// InvalidMd5.
Result<meta::ObjectHeaders> parse_object_headers(const http::Headers& headers, PlainHeaders plain);
/// The same of a request that makes a blob.
Result<meta::ObjectHeaders> parse_new_object_headers(const http::Headers& headers, PlainHeaders plain);

}  // namespace tombolo::azure_blob
