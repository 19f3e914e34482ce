#include "auth/verifier.h"

#include <algorithm>
#include <cstdlib>

#include "auth/codes.h"
#include "auth/sas.h"
#include "auth/shared_key.h"
#include "base/ascii.h"
#include "base/times.h"

namespace tombolo::auth {
namespace {

constexpr std::string_view kBearerPrefix = "Bearer ";

bool has_header(const SignedRequest& request, std::string_view name) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [name](const NameValue& field) { return equal_ignoring_case(field.name, name); });
}

Error signature_mismatch() {
  return authentication_failed("no such account, or the signature does not match the request");
}

Result<void> check_times(const Sas& sas, WallTime now) {
  if (now >= sas.expiry) return authentication_failed("the SAS expired at " + iso8601(sas.expiry));
  if (sas.start && now < *sas.start)
    return authentication_failed("the SAS is valid from " + iso8601(*sas.start) + " on");
  return {};
}

Result<void> check_origin(const Sas& sas, const SignedRequest& request) {
  if (sas.ip && !contains(*sas.ip, request.client_ip)) {
    return Error{Code::kPermissionDenied, "the SAS is not for the source address " + std::string(request.client_ip),
                 codes::kSourceIpMismatch};
  }
  if (sas.https_only && !request.https) {
    return Error{Code::kPermissionDenied, "the SAS is for https only", codes::kProtocolMismatch};
  }
  return {};
}

VerifiedRequest granted(const Sas& sas, const AccountKeys& keys, const SignedRequest& request) {
  VerifiedRequest out;
  out.tenant = keys.tenant;
  out.account = keys.account;
  out.permissions = sas.permissions;
  if (sas.kind == SasKind::kAccount) {
    out.proof = Proof::kAccountSas;
    out.services = sas.services;
    out.types = sas.types;
    return out;  // its overrides (rscc …) are not signed, so they do not count
  }
  out.proof = Proof::kServiceSas;
  out.container = std::string(request.container);
  if (sas.for_blob()) out.blob = std::string(request.blob);
  out.overrides = {.cache_control = std::string(sas.fields.rscc),
                   .content_disposition = std::string(sas.fields.rscd),
                   .content_encoding = std::string(sas.fields.rsce),
                   .content_language = std::string(sas.fields.rscl),
                   .content_type = std::string(sas.fields.rsct)};
  return out;
}

}  // namespace

Task<VerifiedRequest> AzureVerifier::verify(SignedRequest request) {
  if (has_header(request, "authorization")) return verify_shared_key(std::move(request));
  if (has_sas(request)) return verify_sas(std::move(request));
  return refuse_unsigned();
}

Task<VerifiedRequest> AzureVerifier::refuse_unsigned() {
  co_return Error{Code::kUnauthenticated, "the request is not signed: use an account key or a SAS",
                  codes::kNoAuthenticationInformation};
}

Task<VerifiedRequest> AzureVerifier::verify_shared_key(SignedRequest request) {
  const std::string_view authorization = header(request, "authorization");
  if (authorization.starts_with(kBearerPrefix)) {
    co_return Error{Code::kUnauthenticated, "bearer tokens are not supported", codes::kInvalidAuthenticationInfo};
  }
  const auto credential = parse_shared_key(authorization);
  if (!credential) {
    co_return Error{Code::kInvalid, "the Authorization header is not 'SharedKey account:signature'",
                    codes::kInvalidAuthenticationInfo};
  }
  CO_TRY_ASSIGN(const std::shared_ptr<const PreparedKeys> found, keys_.find(std::string(request.account)));
  static const PreparedKeys kNobody{AccountKeys{}};
  const PreparedKeys& keys = found ? *found : kNobody;
  const bool valid = verify_signature(request, *credential, keys);
  if (!valid || credential->account != keys.raw.account) co_return signature_mismatch();

  const auto date = signed_at(request);
  if (!date) co_return authentication_failed("the request has no valid x-ms-date or Date header");
  if (std::abs(clock_.wall().micros - date->micros) > kClockSkewMax.count()) {
    co_return authentication_failed("the request was signed at " + iso8601(*date) + ", more than 15 minutes from now");
  }
  VerifiedRequest out;
  out.tenant = keys.raw.tenant;
  out.account = keys.raw.account;
  out.proof = Proof::kSharedKey;
  co_return out;
}

Task<VerifiedRequest> AzureVerifier::verify_sas(SignedRequest request) {
  CO_CHECK_ASSIGN(const Sas sas, parse_sas(request));
  CO_TRY_ASSIGN(const std::shared_ptr<const PreparedKeys> found, keys_.find(std::string(request.account)));
  static const PreparedKeys kNobody{AccountKeys{}};
  const PreparedKeys& keys = found ? *found : kNobody;
  const SasTarget target{.account = request.account, .container = request.container, .blob = request.blob};
  if (!signed_by(keys, sas_string_to_sign(sas.kind, sas.fields, target), sas.signature)) co_return signature_mismatch();

  CO_CHECK(check_times(sas, clock_.wall()));
  CO_CHECK(check_origin(sas, request));
  if (!sas.fields.ses.empty()) {
    co_return Error{Code::kInvalid, "encryption scopes (ses) are not supported", codes::kInvalidQueryParameterValue};
  }
  co_return granted(sas, keys.raw, request);
}

}  // namespace tombolo::auth
