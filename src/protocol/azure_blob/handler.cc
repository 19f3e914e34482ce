#include "protocol/azure_blob/handler.h"

#include <fmt/format.h>

#include "auth/http_request.h"
#include "base/ascii.h"
#include "base/log.h"
#include "base/times.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/router.h"
#include "protocol/azure_blob/service_properties.h"
#include "protocol/azure_blob/unbuilt.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::string_view kDefaultVersion = "2021-12-02";  // told to requests that name none
constexpr std::size_t kClientRequestIdMax = 1'024;          // a longer one is not echoed, as on Azure

LoneSegment lone_segment(const Query& query) {
  const bool container = equal_ignoring_case(query.value("restype"), "container") ||
                         equal_ignoring_case(query.value("restype"), "account");
  return container ? LoneSegment::kContainer : LoneSegment::kBlobInRoot;
}

auth::SignedRequest signed_view(const http::Exchange& exchange, const Query& query, const Address& address) {
  auth::SignedRequest view = auth::view_of(exchange.head(), query.params());
  view.account = address.account;
  view.container = address.container;
  view.blob = address.blob;
  view.client_ip = exchange.connection().peer_address;
  view.https = exchange.connection().tls;
  return view;
}

// An answer to a request whose dialect part was never reached, or that failed.
Reply error_reply(const WireError& wire, std::string_view request_id, WallTime now) {
  Reply reply;
  reply.status = wire.status;
  reply.headers.add("x-ms-error-code", wire.code);
  if (wire.status == 401) reply.headers.add("WWW-Authenticate", "SharedKey");
  if (wire.status == 405) reply.headers.add("Allow", "GET, HEAD, PUT, DELETE");
  if (wire.status == 304) return reply;
  ErrorBody body;
  body.code = wire.code;
  body.message = wire.message;
  body.request_id = request_id;
  const std::string time = iso8601_7(now);
  body.time = time;
  reply.headers.add("Content-Type", "application/xml");
  reply.body = Block(error_xml(body));
  return reply;
}

std::string_view name_of(auth::Proof proof) {
  switch (proof) {
    case auth::Proof::kSharedKey:
      return "shared-key";
    case auth::Proof::kAccountSas:
      return "account-sas";
    case auth::Proof::kServiceSas:
      return "service-sas";
  }
  return "";
}

std::string_view code_of(http::Failure failure) {
  switch (http::info(failure).status) {
    case 405:
      return codes::kUnsupportedHttpVerb;
    case 408:
      return codes::kOperationTimedOut;
    case 411:
      return codes::kMissingContentLengthHeader;
    case 414:
      return codes::kInvalidUri;
    case 500:
      return codes::kInternalError;
    case 501:
      return codes::kNotImplemented;
    case 503:
      return codes::kServerBusy;
    default:
      return failure == http::Failure::kBadTarget ? codes::kInvalidUri : codes::kInvalidInput;
  }
}

}  // namespace

struct AzureBlobHandler::Trace {
  std::string request_id;
  std::string client_request_id;
  std::string version{kDefaultVersion};
  std::string account;
  std::string_view operation = kUnknownOperation;
  std::string_view proof;
  std::string_view error_code;
  std::string_view throttled;
  http::Headers on_failure;
  Level level = Level::kService;
  int status = 0;
  std::uint64_t bytes_sent = 0;
  SteadyTime start;
  bool broken = false;
  std::optional<admission::Admission::Ticket> ticket;  // held until the answer is out
};

// The request's body, counted; remembers that it was the client who failed.
class AzureBlobHandler::ClientBody final : public ByteSource {
 public:
  explicit ClientBody(ByteSource& body) : body_(body) {}

  Task<Block> next() override {
    Result<Block> block = co_await body_.next();
    if (block.ok()) {
      taken_ += block->size();
    } else {
      failure_ = block.error().code;
    }
    co_return block;
  }

  std::uint64_t taken() const { return taken_; }
  std::optional<Code> failure() const { return failure_; }

 private:
  ByteSource& body_;
  std::uint64_t taken_ = 0;
  std::optional<Code> failure_;
};

AzureBlobHandler::AzureBlobHandler(HandlerParts parts, Observer observer, Witness witness)
    : parts_(parts),
      observer_(std::move(observer)),
      witness_(std::move(witness)),
      request_ids_(parts.random.next64()),
      requests_(parts.random.next64()) {}

Task<void> AzureBlobHandler::handle(http::Exchange& exchange) {
  Trace trace;
  trace.start = parts_.clock.steady();
  trace.request_id = new_request_id();
  ClientBody body(exchange.body());
  Result<Reply> reply = co_await serve(exchange, body, trace);
  if (!reply.ok()) {
    reply = fail(reply.error(), exchange.head(), body, trace);
  } else if (witness_) {
    trace.status = reply->status;
    std::optional<Task<void>> testimony = witness_(observe(exchange, body, trace));
    if (testimony) static_cast<void>(co_await *std::move(testimony));  // what was done stays done
  }
  Result<void> sent = co_await send(exchange, *std::move(reply), trace);
  if (!sent.ok() && !exchange.responded()) {
    // The first block of the answer could not be read, or the rest of the request not: say so instead.
    sent = co_await send(exchange, fail(sent.error(), exchange.head(), body, trace), trace);
  }
  trace.broken = !sent.ok();
  if (observer_) observer_(observe(exchange, body, trace));
  co_return sent;
}

Task<Reply> AzureBlobHandler::serve(http::Exchange& exchange, ClientBody& body, Trace& trace) {
  const http::RequestHead& head = exchange.head();
  const std::string_view client_id = head.headers.get("x-ms-client-request-id").value_or(std::string_view());
  if (client_id.size() <= kClientRequestIdMax) trace.client_request_id = client_id;
  CO_CHECK_ASSIGN(const std::optional<std::string_view> version, only(head.headers, "x-ms-version"));
  if (version && !is_service_version(*version)) {
    co_return azure_blob::refuse(codes::kInvalidHeaderValue, "x-ms-version must be a date like 2021-12-02.");
  }
  if (version) trace.version = *version;
  if (head.method == "OPTIONS") co_return azure_blob::refuse(codes::kCorsPreflightFailure, "");

  CO_CHECK_ASSIGN(const Query query, Query::parse(head.query()));
  AddressParts parts;
  parts.scheme = exchange.connection().tls ? "https" : "http";
  parts.host = head.host;
  parts.path = head.path();
  parts.lone = lone_segment(query);
  CO_CHECK_ASSIGN(const Address address, parse_address(parts));
  trace.account = address.account;
  trace.level = address.level();

  // Metrics name the operation of a stranger's request, too; the stranger learns only that he is one.
  const Result<const Operation*> routed = route(address.level(), head.method, query);
  if (routed.ok()) trace.operation = (*routed)->name;
  CO_TRY_ASSIGN(const auth::VerifiedRequest who, parts_.verifier.verify(signed_view(exchange, query, address)));
  trace.proof = name_of(who.proof);
  CO_CHECK_ASSIGN(const Operation* operation, routed);
  auth::Operation touched;
  touched.needs = operation->rights;
  touched.container = address.container;
  touched.blob = address.blob;
  CO_CHECK(auth::authorize(who, touched));
  CO_CHECK(admit(exchange, trace));
  if (!version) {
    CO_TRY_ASSIGN(const std::string stored, parts_.store.get_service_properties(address.account));
    CO_CHECK_ASSIGN(const ServiceProperties properties, stored_service_properties(stored));
    if (!properties.default_version.empty()) trace.version = properties.default_version;
  }
  CO_CHECK(refuse_unbuilt(address.level(), operation->name, head.headers, query, who));
  const Call call{head, body, address, query, who, parts_.store, parts_.workers, trace.on_failure};
  co_return co_await operation->run(call);
}

// After authentication: a stranger uses up nobody's share.
Result<void> AzureBlobHandler::admit(http::Exchange& exchange, Trace& trace) {
  auto asked = parts_.gate.admit(trace.account, exchange.head().content_length.value_or(0));
  if (asked) {
    trace.ticket.emplace(*std::move(asked));
    return {};
  }
  exchange.abandon_body();
  trace.throttled = admission::bound_name(asked.error().bound);
  trace.on_failure.add("Retry-After", std::to_string(asked.error().retry_after.count()));
  return Error{Code::kBusy, "over a limit", codes::kServerBusy};
}

Reply AzureBlobHandler::fail(const Error& error, const http::RequestHead& head, const ClientBody& body, Trace& trace) {
  const Access access = head.method == "GET" || head.method == "HEAD" ? Access::kRead : Access::kWrite;
  WireError wire = to_wire(error, trace.level, access);
  if (body.failure()) {
    // Whatever the code says (a lost connection is kUnavailable): it was the client's, not ours. One that was only too
    // slow is told what makes it try again.
    const std::string_view code = body.failure() == Code::kDeadline ? codes::kOperationTimedOut : codes::kInvalidInput;
    wire = to_wire(azure_blob::refuse(code, "The request's body did not arrive whole."), trace.level, access);
    wire.is_ours = false;
  }
  // The metrics tell of throttling: a line for each would make a flood of the log.
  if (wire.is_ours && trace.throttled.empty()) {
    log(LogLevel::kWarn, "azure_blob", "request {} {} {} failed with {}: {}", trace.request_id, head.method,
        head.path(), wire.code, to_string(error));
  }
  trace.error_code = wire.code;
  Reply reply = error_reply(wire, trace.request_id, parts_.clock.wall());
  for (const http::Headers::Field field : trace.on_failure) reply.headers.add(field.name, field.value);
  return reply;
}

Task<void> AzureBlobHandler::send(http::Exchange& exchange, Reply reply, Trace& trace) {
  const bool is_head = exchange.head().method == "HEAD";
  const std::uint64_t length = reply.stream ? reply.stream_length : reply.body.size();
  trace.status = reply.status;
  trace.bytes_sent = is_head ? 0 : length;
  http::ResponseHead head;
  head.status = reply.status;
  head.headers = std::move(reply.headers);
  head.headers.add("x-ms-request-id", trace.request_id);
  head.headers.add("x-ms-version", trace.version);
  if (!trace.client_request_id.empty()) head.headers.add("x-ms-client-request-id", trace.client_request_id);
  if (is_head) {
    co_return co_await exchange.respond_head_only(std::move(head), reply.status < 300 ? reply.stream_length : 0);
  }
  if (reply.stream) co_return co_await exchange.respond(std::move(head), *reply.stream, reply.stream_length);
  co_return co_await exchange.respond(std::move(head), std::move(reply.body));
}

Observation AzureBlobHandler::observe(const http::Exchange& exchange, const ClientBody& body,
                                      const Trace& trace) const {
  Observation seen;
  seen.operation = trace.operation;
  seen.method = exchange.head().method;
  seen.path = exchange.head().path();
  seen.account = trace.account;
  seen.proof = trace.proof;
  seen.peer_address = exchange.connection().peer_address;
  seen.request_id = trace.request_id;
  seen.client_request_id = trace.client_request_id;
  seen.error_code = trace.error_code;
  seen.throttled = trace.throttled;
  seen.status = trace.status;
  seen.bytes_received = body.taken();
  seen.bytes_sent = trace.bytes_sent;
  seen.took = parts_.clock.steady() - trace.start;
  seen.broken = trace.broken;
  return seen;
}

http::Refusal AzureBlobHandler::refuse(http::Failure failure) {
  const http::FailureInfo& row = http::info(failure);
  WireError wire;
  wire.status = row.status;
  wire.code = code_of(failure);
  wire.message = row.text;
  const std::string request_id = new_request_id();
  Reply reply = error_reply(wire, request_id, parts_.clock.wall());
  http::Refusal refusal;
  refusal.head.status = reply.status;
  refusal.head.headers = std::move(reply.headers);
  refusal.head.headers.add("x-ms-request-id", request_id);
  refusal.head.headers.add("x-ms-version", kDefaultVersion);
  if (failure == http::Failure::kOverloaded) refusal.head.headers.add("Retry-After", "1");
  refusal.body = std::move(reply.body);
  if (observer_ && failure != http::Failure::kHandlerFailed) {  // handle() has reported that one
    Observation seen;
    seen.operation = kUnknownOperation;
    seen.method = seen.path = seen.peer_address = "-";
    seen.request_id = request_id;
    seen.error_code = wire.code;
    seen.status = wire.status;
    seen.bytes_sent = refusal.body.size();
    observer_(seen);
  }
  return refusal;
}

// In the form of a UUID, which some clients parse. Unique, not secret: 64 random bits of this process, and a count.
std::string AzureBlobHandler::new_request_id() {
  const std::uint64_t halves[] = {request_ids_, requests_.fetch_add(1, std::memory_order_relaxed)};
  std::string out(36, '-');
  char* to = out.data();
  for (unsigned byte = 0; byte < 16; ++byte) {
    const std::uint64_t value = halves[byte / 8] >> (56 - byte % 8 * 8) & 0xFF;
    *to++ = "0123456789abcdef"[value >> 4];
    *to++ = "0123456789abcdef"[value & 15];
    if (byte == 3 || byte == 5 || byte == 7 || byte == 9) ++to;  // the hyphen that is there
  }
  return out;
}

}  // namespace tombolo::azure_blob
