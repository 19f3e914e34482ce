// AzureVerifier: turns a request into a VerifiedRequest, or says why not, before any body byte is read.
#pragma once

#include "async/task.h"
#include "auth/key_ring.h"
#include "auth/request.h"
#include "auth/verified_request.h"
#include "base/clock.h"

namespace tombolo::auth {

/// How far a Shared Key request's date may be from our clock, either way.
inline constexpr Duration kClockSkewMax = std::chrono::minutes(15);

/// Shared Key, Shared Key Lite, account SAS, service SAS. Stateless, thread-safe. Errors carry the Azure code in
/// Error::detail (codes.h):
/// - neither an Authorization header nor a signature in the query: NoAuthenticationInformation;
/// - an Authorization header decides alone, also beside a SAS, as on Azure (Azure/acr issue 217: a registry token sent
///   along to a SAS URL is refused with 400): bearer tokens, not built, are 401 InvalidAuthenticationInfo, unknown and
///   malformed schemes 400 InvalidAuthenticationInfo;
/// - unknown account, wrong signature, edited, expired or not yet valid: AuthenticationFailed, indistinguishable, the
///   first two in time as well (an unknown account costs the same HMACs);
/// - a valid SAS from another address or over http where it says https: the mismatch codes;
/// - a valid SAS with an encryption scope (ses), not built: InvalidQueryParameterValue.
/// What the key ring cannot answer is passed up as it is (kUnavailable …).
class AzureVerifier {
 public:
  AzureVerifier(KeyRing& keys, Clock& clock) : keys_(keys), clock_(clock) {}

  Task<VerifiedRequest> verify(SignedRequest request);

 private:
  Task<VerifiedRequest> verify_shared_key(SignedRequest request);
  Task<VerifiedRequest> verify_sas(SignedRequest request);
  static Task<VerifiedRequest> refuse_unsigned();

  KeyRing& keys_;
  Clock& clock_;
};

}  // namespace tombolo::auth
