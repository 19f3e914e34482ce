#include "admin/handler.h"

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/encoding.h"

namespace tombolo::admin {
namespace {

using Resource = Task<Reply> (*)(Context&, Call);

// accounts/NAME/<what> belongs to the resource of <what>.
Resource resource_of(const std::vector<std::string>& path) {
  const std::string first = path.empty() ? "" : path[0];
  const std::string third = path.size() > 2 ? path[2] : "";
  if (first == "accounts" && third == "containers") return containers_resource;
  if (first == "accounts" && third == "sas") return sas_resource;
  if (first == "accounts") return accounts_resource;
  if (first == "remotes") return remotes_resource;
  if (first == "jobs") return jobs_resource;
  if (first == "status") return status_resource;
  if (first == "fsck") return fsck_resource;
  if (first == "tls") return tls_resource;
  return nullptr;
}

Result<std::vector<std::string>> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    auto part = percent_decode(path.substr(0, slash));
    if (!part) return Error{Code::kInvalid, "the path has a bad escape"};
    parts.push_back(std::move(*part));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return parts;
}

bool authorised(const http::RequestHead& head, const std::string& token) {
  const auto given = head.headers.get("Authorization");
  constexpr std::string_view kBearer = "Bearer ";
  return given && given->starts_with(kBearer) &&
         equal_constant_time(as_bytes(given->substr(kBearer.size())), as_bytes(token));
}

}  // namespace

Task<Reply> AdminHandler::answer(http::Exchange& exchange, std::optional<AuditRecord>& record) {
  const http::RequestHead& head = exchange.head();
  const bool reading = head.method == "GET" || head.method == "HEAD";
  if (head.path() == "/healthz" && reading) {
    constexpr const char* kText = "text/plain; charset=utf-8";
    co_return context_.control.ready() ? Reply{200, "ok\n", kText} : Reply{503, "starting or stopping\n", kText};
  }
  if (head.path() == "/metrics" && reading) {
    co_return Reply{200, context_.metrics.text(), "text/plain; version=0.0.4; charset=utf-8"};
  }
  constexpr std::string_view kRoot = "/v1/";
  if (!head.path().starts_with(kRoot)) {
    co_return Error{Code::kNotFound, "the admin API lives under /v1/; see docs/admin-api.md"};
  }
  if (!authorised(head, context_.token)) {
    refused_.add();
    co_return Error{Code::kUnauthenticated,
                    "send \"Authorization: Bearer TOKEN\" with the token of admin.token in the data directory"};
  }
  Call call;
  call.method = head.method;
  CO_CHECK_ASSIGN(call.path, split_path(head.path().substr(kRoot.size())));
  CO_CHECK_ASSIGN(call.query, http::parse_query(head.query()));
  CO_TRY_ASSIGN(const Bytes body, read_all(exchange.body(), kBodyBytesMax));
  call.body = std::string(as_text(body));
  if (const auto action = audited_action(call)) record = describe(call, *action);
  const Resource resource = resource_of(call.path);
  if (resource == nullptr) co_return Error{Code::kNotFound, "there is no such resource"};
  co_return co_await resource(context_, std::move(call));
}

Task<void> AdminHandler::handle(http::Exchange& exchange) {
  std::optional<AuditRecord> record;
  Result<Reply> result = co_await answer(exchange, record);
  const std::string request_id = context_.services.cell.random.hex(16);
  if (record) {
    record->who = "admin-token";
    record->from = exchange.connection().peer_address;
    record->request_id = request_id;
    record->status = result.ok() ? result->status : error_reply(result.error()).status;
    record->result = result.ok() ? "ok" : std::string(code_name(result.error().code));
    const auto written = co_await context_.control.audit(*std::move(record));
    // A secret that nobody knows was shown is not shown; a change that was made stays made.
    if (!written.ok() && result.ok()) {
      result = Error{Code::kUnavailable, "it was done, but it could not be recorded: " + written.error().message};
    }
  }
  Reply reply = result.ok() ? *std::move(result) : error_reply(result.error());
  http::ResponseHead head;
  head.status = reply.status;
  head.headers.set("Content-Type", reply.content_type);
  head.headers.set("X-Request-Id", request_id);
  if (reply.status == 401) head.headers.set("WWW-Authenticate", "Bearer");
  co_return co_await exchange.respond(std::move(head), Block(std::move(reply.body)));
}

}  // namespace tombolo::admin
