// Shared Key and Shared Key Lite: an HMAC over the request under an account key.
// Source: Microsoft Learn "Authorize with Shared Key" (2009-09-19 and later); checked against the SDKs' own signatures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/header_order.h"
#include "auth/key_ring.h"
#include "auth/request.h"
#include "base/clock.h"

namespace tombolo::auth {

enum class SharedKeyScheme : std::uint8_t { kFull, kLite };

/// The value of an Authorization header "SharedKey account:signature".
struct SharedKeyCredential {
  SharedKeyScheme scheme = SharedKeyScheme::kFull;
  std::string account;
  Bytes signature;
};

/// nullopt when it is another scheme or not well formed (no account, or a signature that is not base64).
std::optional<SharedKeyCredential> parse_shared_key(std::string_view authorization);

struct SharedKeyOptions {
  SharedKeyScheme scheme = SharedKeyScheme::kFull;
  HeaderOrder order = HeaderOrder::kCulture;
};

/// What is signed. The path goes in as it is on the wire, behind the account's name, so path style repeats the account
/// (/acct/acct/container). Content-Length 0 is left blank from version 2015-02-21 on (and without a version); Date is
/// left blank where x-ms-date is set; query values are decoded, names lower-case and sorted, repeated values joined.
std::string string_to_sign(const SignedRequest& request, std::string_view account, SharedKeyOptions options);

/// The Authorization header for an outgoing request. Requires x-ms-date (or Date) among the headers, and every header
/// that will be sent.
std::string sign(const SignedRequest& request, const AccountKeys& keys, SharedKeyOptions options);

/// True when the signature is that of the request in either header order under either key. A wrong one always takes the
/// same time: both orders, where they differ, under both keys. Looks at no clock.
bool verify_signature(const SignedRequest& request, const SharedKeyCredential& credential, const PreparedKeys& keys);

/// When the client says it signed: x-ms-date, else Date. nullopt when neither is a valid IMF-fixdate.
std::optional<WallTime> signed_at(const SignedRequest& request);

}  // namespace tombolo::auth
