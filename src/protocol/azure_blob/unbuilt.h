// Parameters and headers that change what a request means and are not built: refused, never ignored.
#pragma once

#include "auth/verified_request.h"
#include "base/result.h"
#include "http/message.h"
#include "protocol/azure_blob/level.h"
#include "protocol/azure_blob/query.h"

namespace tombolo::azure_blob {

/// UnsupportedQueryParameter, UnsupportedHeader, or the code that Azure itself gives where the feature is off
/// (PublicAccessNotPermitted, LeaseNotPresentWith…, InvalidBlobType, BlobTypeNotSupported). x-ms-tags under a SAS
/// without `t` is AuthorizationPermissionMismatch first. ConditionHeadersNotSupported where an operation takes no
/// conditions. A header without a value asks for nothing.
Result<void> refuse_unbuilt(Level level, std::string_view operation, const http::Headers& headers, const Query& query,
                            const auth::VerifiedRequest& who);

}  // namespace tombolo::azure_blob
