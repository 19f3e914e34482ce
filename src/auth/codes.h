// The Azure error codes that this folder puts into Error::detail. The dialect maps them to statuses:
// NoAuthenticationInformation 401; InvalidAuthenticationInfo 401 where Error::code is kUnauthenticated, 400 where it is
// kInvalid; InvalidQueryParameterValue 400; all others 403.
// Source: Microsoft Learn "Common REST API error codes" and "Shared access signature error codes".
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace tombolo::auth::codes {

inline constexpr std::string_view kAuthenticationFailed = "AuthenticationFailed";
inline constexpr std::string_view kNoAuthenticationInformation = "NoAuthenticationInformation";
inline constexpr std::string_view kInvalidAuthenticationInfo = "InvalidAuthenticationInfo";
inline constexpr std::string_view kInvalidQueryParameterValue = "InvalidQueryParameterValue";
inline constexpr std::string_view kSourceIpMismatch = "AuthorizationSourceIPMismatch";
inline constexpr std::string_view kProtocolMismatch = "AuthorizationProtocolMismatch";
inline constexpr std::string_view kServiceMismatch = "AuthorizationServiceMismatch";
inline constexpr std::string_view kResourceTypeMismatch = "AuthorizationResourceTypeMismatch";
inline constexpr std::string_view kPermissionMismatch = "AuthorizationPermissionMismatch";
inline constexpr std::string_view kAuthorizationFailure = "AuthorizationFailure";

}  // namespace tombolo::auth::codes

namespace tombolo::auth {

/// Who is asking could not be established: 403 AuthenticationFailed. `why` goes to the client: never a secret.
inline Error authentication_failed(std::string why) {
  return {Code::kUnauthenticated, std::move(why), codes::kAuthenticationFailed};
}

}  // namespace tombolo::auth
