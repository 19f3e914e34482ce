// What an answer, or its absence, means for the operation.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"

namespace tombolo::remote::azure {

/// Why one try did not do what was asked.
struct Failure {
  Error error;                // as the operation ends if this is final
  bool retryable = false;     // another try may cure it
  bool maybe_done = false;    // the service may have carried it out all the same
  bool unsupported = false;   // it has refused a header or feature that it does not have; nothing was done
  bool ours = false;          // of the body that was to be sent: the service had no part in it
  bool md5_mismatch = false;  // it has refused a body whose MD5 is not the one given; nothing was done
  std::optional<Duration> retry_after = {};
};

/// Of an answer that is none of those expected. Source: Microsoft Learn "Status and error codes" and "Blob service
/// error codes"; codes are read from x-ms-error-code, which HEAD has too.
Failure failure_of(const http::ResponseHead& head, WallTime now);
/// The peer's clock minus ours by the answer's Date, to half a second and the way back; nothing without one.
std::optional<Duration> skew_of(const http::ResponseHead& head, WallTime now);

/// Of a request that got no answer. `sent`: bytes of it may have reached the service whole.
Failure failure_of(Error transport, bool sent);

}  // namespace tombolo::remote::azure
