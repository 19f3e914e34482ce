// AzureBlobHandler: the Azure Blob protocol on an http server.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "admission/admission.h"
#include "auth/verifier.h"
#include "base/clock.h"
#include "base/random.h"
#include "http/exchange.h"
#include "protocol/azure_blob/call.h"

namespace tombolo::azure_blob {

/// The operation of a request in which none was recognised.
inline constexpr std::string_view kUnknownOperation = "Unknown";

/// What happened with one request, for metrics and the access log. Holds no secret: the query is left out, a SAS is in
/// it. Views live while the observer runs.
struct Observation {
  std::string_view operation;  // "PutBlob"; kUnknownOperation
  std::string_view method;
  std::string_view path;  // raw
  std::string_view account;
  std::string_view proof;  // "shared-key", "account-sas" or "service-sas"; empty where the caller was not verified
  std::string_view peer_address;
  std::string_view request_id;
  std::string_view client_request_id;
  std::string_view error_code;  // empty on success
  std::string_view throttled;   // the bound that it met (admission::bound_name); empty when it was let in
  int status = 0;
  std::uint64_t bytes_received = 0;  // of the body, taken by the operation
  std::uint64_t bytes_sent = 0;      // of the body, announced; 0 to HEAD
  Duration took{};
  bool broken = false;  // the connection was lost before the answer was out
};
/// Called once per request, on its event loop, after the answer; also for requests that http refused before they could
/// be handled, then with status and error code only. Must not block or throw.
using Observer = std::function<void(const Observation&)>;

/// Called once per request that succeeded, before its answer goes out; what it gives is awaited first, and the answer
/// is the same however that ends.
using Witness = std::function<std::optional<Task<void>>(const Observation&)>;

/// All of them outlive the handler and are thread-safe.
struct HandlerParts {
  store::Store& store;
  auth::AzureVerifier& verifier;
  admission::Admission& gate;
  Clock& clock;
  Random& random;    // request ids
  Workers& workers;  // hashing and parsing of large bodies
};

/// Thread-safe. Every request is verified before a byte of its body is read, then admitted or told to come back (503
/// ServerBusy, Retry-After, the body unread), and only then looked at further. Every
/// answer has x-ms-request-id, x-ms-version and the client's x-ms-client-request-id; every failure x-ms-error-code, and
/// an XML document of it where a body may be.
class AzureBlobHandler final : public http::Handler {
 public:
  explicit AzureBlobHandler(HandlerParts parts, Observer observer = {}, Witness witness = {});

  Task<void> handle(http::Exchange& exchange) override;
  http::Refusal refuse(http::Failure failure) override;

 private:
  struct Trace;
  class ClientBody;

  Task<Reply> serve(http::Exchange& exchange, ClientBody& body, Trace& trace);
  Result<void> admit(http::Exchange& exchange, Trace& trace);
  Reply fail(const Error& error, const http::RequestHead& head, const ClientBody& body, Trace& trace);
  Task<void> send(http::Exchange& exchange, Reply reply, Trace& trace);
  Observation observe(const http::Exchange& exchange, const ClientBody& body, const Trace& trace) const;
  std::string new_request_id();

  HandlerParts parts_;
  Observer observer_;
  Witness witness_;
  const std::uint64_t request_ids_;  // drawn once: the first half of every request id
  std::atomic<std::uint64_t> requests_;
};

}  // namespace tombolo::azure_blob
