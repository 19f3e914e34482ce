#include "remote/azure/failure.h"

#include <fmt/format.h>

#include <charconv>

#include "base/times.h"

namespace tombolo::remote::azure {
namespace {

bool worth_another_try(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

Code code_of(int status, std::string_view code) {
  switch (status) {
    case 401:
    case 403:
      return Code::kPermissionDenied;
    case 404:
      // Only a blob service's own words count: a proxy's 404, or a missing container, is not the absence of an object.
      return code == "BlobNotFound" ? Code::kNotFound : Code::kUnavailable;
    case 409:
      if (code == "BlobAlreadyExists") return Code::kConditionFailed;
      if (code == "ContainerBeingDeleted" || code == "AccountBeingCreated" || code == "AccountIsDisabled" ||
          code == "ContainerDisabled" || code == "BlobArchived" || code == "BlobBeingRehydrated") {
        return Code::kUnavailable;
      }
      return Code::kPermissionDenied;  // leases, legal holds, immutability, snapshots
    case 412:
      return code.starts_with("Lease") ? Code::kPermissionDenied : Code::kConditionFailed;
    case 413:
      return Code::kTooLarge;
    case 416:
      return Code::kOutOfRange;
    default:
      break;
  }
  if (status >= 400 && status < 500 && !worth_another_try(status)) return Code::kInvalid;
  return Code::kUnavailable;
}

std::optional<Duration> retry_after_of(const http::ResponseHead& head, WallTime now) {
  const auto value = head.headers.get("Retry-After");
  if (!value) return std::nullopt;
  std::uint32_t seconds = 0;
  const auto parsed = std::from_chars(value->data(), value->data() + value->size(), seconds);
  if (parsed.ec == std::errc() && parsed.ptr == value->data() + value->size()) return std::chrono::seconds(seconds);
  if (const auto when = parse_http_date(*value)) return Duration(std::max<std::int64_t>(0, when->micros - now.micros));
  return std::nullopt;
}

// What an administrator has to mend, where the answer tells. Codes: Microsoft Learn, "Blob service error codes".
std::string advice(const http::ResponseHead& head, std::string_view code, WallTime now) {
  constexpr auto kSkewMax =
      std::chrono::minutes(15);  // Shared Key: a request whose x-ms-date is further off is refused
  if (head.status == 401 || head.status == 403) {
    const auto skew = skew_of(head, now).value_or(Duration::zero());
    if (skew > kSkewMax || skew < -kSkewMax) {
      return fmt::format(
          "; its clock is {} s {} this machine's, and Shared Key allows 900: set this machine's clock right",
          std::abs(skew.count()) / 1'000'000, skew > Duration::zero() ? "ahead of" : "behind");
    }
    if (code == "AuthorizationPermissionMismatch" || code == "AuthorizationResourceTypeMismatch" ||
        code == "AuthorizationServiceMismatch") {
      return "; the SAS does not allow this: make one for the container with the permissions r, w, c, d and l, and "
             "give "
             "it to `tombolo remote update`";
    }
    if (code == "AuthorizationSourceIPMismatch" || code == "IpAuthorizationError") {
      return "; the SAS or the account's firewall does not let this machine's address in";
    }
    if (code == "AuthenticationFailed" || code == "AuthorizationFailure" || code == "InvalidAuthenticationInfo") {
      return "; the key or SAS is wrong or has expired, or the account's firewall keeps this machine out: give the "
             "right "
             "one to `tombolo remote update`";
    }
  }
  if (code == "ContainerNotFound") {
    return "; make the container there, or name another one with `tombolo remote update`";
  }
  return {};
}

}  // namespace

std::optional<Duration> skew_of(const http::ResponseHead& head, WallTime now) {
  constexpr Duration kHalfOfItsUnit = std::chrono::milliseconds(500);  // Date is cut to whole seconds
  const auto date = head.headers.get("Date");
  const auto parsed = date ? parse_http_date(*date) : std::nullopt;
  if (!parsed) return std::nullopt;
  return Duration(parsed->micros - now.micros) + kHalfOfItsUnit;
}

Failure failure_of(const http::ResponseHead& head, WallTime now) {
  const std::string_view code = head.headers.get("x-ms-error-code").value_or("");
  std::string text = fmt::format("it answered {}", head.status);
  if (!code.empty()) text += fmt::format(" {}", code);
  if (head.status >= 300 && head.status < 400) text += " (redirects are not followed)";
  if (head.status == 404 && code.empty()) text += " without saying what is missing: is the endpoint a blob service?";
  text += advice(head, code, now);
  Failure failure;
  // Observed, Azurite 3.35.0, 2026-11-21: 500 FeatureNotSupported for x-ms-content-crc64, before anything is done.
  failure.unsupported = code == "FeatureNotSupported" || code == "UnsupportedHeader";
  // Observed, Azurite 3.35.0, 2026-11-27: 400 InvalidOperation.
  failure.md5_mismatch = code == "Md5Mismatch" || code == "InvalidOperation";
  failure.retryable = worth_another_try(head.status) && !failure.unsupported;
  // "ServerBusy" is a refusal; other errors that may pass, and successes of another kind, tell nothing.
  const bool refused = code == "ServerBusy" || failure.unsupported;
  failure.maybe_done = head.status < 300 || ((head.status >= 500 || failure.retryable) && !refused);
  failure.retry_after = retry_after_of(head, now);
  failure.error = Error{failure.unsupported ? Code::kUnsupported : code_of(head.status, code), std::move(text)};
  return failure;
}

Failure failure_of(Error transport, bool sent) {
  Failure failure;
  const Code code = transport.code;
  const bool peer = code == Code::kUnavailable || code == Code::kDeadline;
  failure.retryable = peer || code == Code::kBusy;
  failure.maybe_done = sent && (peer || code == Code::kCancelled);
  failure.error = std::move(transport);
  if (failure.retryable) failure.error.code = Code::kUnavailable;
  return failure;
}

}  // namespace tombolo::remote::azure
