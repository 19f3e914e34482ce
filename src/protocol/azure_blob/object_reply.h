// The headers of an answer about a blob or container.
#pragma once

#include "auth/verified_request.h"
#include "http/message.h"
#include "meta/model/container.h"
#include "meta/model/object.h"

namespace tombolo::azure_blob {

/// ETag and Last-Modified, which every answer about something has.
void add_identity(http::Headers& headers, Stamp etag_stamp);

/// What Get Blob and Get Blob Properties tell of a blob, but Content-MD5 and Content-Range.
void add_object(http::Headers& headers, const meta::Object& object);

/// What the SAS of the request asks to be answered instead (rscc, rscd, rsce, rscl, rsct).
void apply_overrides(http::Headers& headers, const auth::ResponseOverrides& overrides);

/// What Get Container Properties tells.
void add_container(http::Headers& headers, const meta::Container& container);

/// No bytes are encrypted at rest yet, and every answer that tells of it says so.
inline constexpr std::string_view kServerEncrypted = "false";

}  // namespace tombolo::azure_blob
