// accounts/NAME/sas: POST {"container", "blob", "permissions", "hours", "ip", "https_only"} makes a SAS and a URL.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "admin/handler.h"
#include "auth/sas_make.h"
#include "base/encoding.h"
#include "base/times.h"

namespace tombolo::admin {
namespace {

constexpr std::uint64_t kHoursDefault = 24, kHoursMax = 24 * 366;

Result<auth::Permissions> parse(auth::SasKind kind, std::string_view letters) {
  const auto permissions = auth::parse_permissions(kind, letters);
  if (!permissions) {
    return Error{Code::kInvalid, fmt::format("\"{}\" has a letter that this kind of SAS does not know, or one twice; "
                                             "read is r, add a, create c, write w, delete d, list l",
                                             letters)};
  }
  return *permissions;
}

// What is named and empty is a slip, a variable that was not set: left out, it would open more than was wanted.
Result<void> check_target(const nlohmann::json& body) {
  const std::string container = text_of(body, "container");
  if (body.contains("container") && container.empty()) {
    return Error{Code::kInvalid, "\"container\" is empty: name one, or leave it out for a SAS of the whole account"};
  }
  if (!body.contains("blob")) return {};
  if (container.empty()) return Error{Code::kInvalid, "\"blob\" needs \"container\": name the container that it is in"};
  if (text_of(body, "blob").empty()) {
    return Error{Code::kInvalid, "\"blob\" is empty: name one, or leave it out for a SAS of the whole container"};
  }
  return {};
}

Result<std::string> make(const auth::AccountKeys& keys, auth::SasTerms terms, const nlohmann::json& body) {
  const std::string container = text_of(body, "container");
  const std::string letters = text_of(body, "permissions");
  if (container.empty()) {
    TRY_ASSIGN(terms.permissions, parse(auth::SasKind::kAccount, letters.empty() ? "rwdlac" : letters));
    auth::AccountSasRequest request;
    request.terms = std::move(terms);
    return auth::make_account_sas(keys, request);
  }
  auth::ServiceSasRequest request;
  request.container = container;
  request.blob = text_of(body, "blob");
  const std::string usual = request.blob.empty() ? "racwdl" : "racwd";
  TRY_ASSIGN(terms.permissions, parse(auth::SasKind::kService, letters.empty() ? usual : letters));
  request.terms = std::move(terms);
  return auth::make_service_sas(keys, request);
}

}  // namespace

Task<Reply> sas_resource(Context& context, Call call) {
  if (call.path.size() != 3 || call.method != "POST") co_return Error{Code::kNotFound, "sas: POST"};
  CO_TRY_ASSIGN(const auto keys, context.accounts.find(call.path[1]));
  if (!keys) co_return no_account(call.path[1]);
  CO_CHECK_ASSIGN(const auto body,
                  parse_object(call.body, {}, {"container", "blob", "permissions", "ip"}, {"hours", "https_only"}));
  CO_CHECK(check_target(body));
  CO_CHECK_ASSIGN(const std::uint64_t hours, number_of(body, "hours", kHoursDefault));
  CO_CHECK_ASSIGN(const bool https_only, flag_of(body, "https_only"));
  if (hours == 0 || hours > kHoursMax) co_return Error{Code::kInvalid, "\"hours\" must be 1 to 8784 (a year)"};
  auth::SasTerms terms;
  const std::int64_t now = context.services.cell.clock.wall().micros;
  terms.expiry = {now + static_cast<std::int64_t>(hours) * 3'600'000'000};
  terms.ip = text_of(body, "ip");
  if (https_only) terms.protocol = auth::SasProtocol::kHttpsOnly;
  const WallTime expiry = terms.expiry;
  CO_CHECK_ASSIGN(const std::string sas, make(keys->raw, std::move(terms), body));
  std::string url = context.control.account_url(keys->raw.account);
  if (const std::string container = text_of(body, "container"); !container.empty()) {
    url += "/" + percent_encode(container);
    if (const std::string blob = text_of(body, "blob"); !blob.empty()) url += "/" + percent_encode(blob, "/");
  }
  co_return json_reply(200, {{"sas", sas}, {"url", url + "?" + sas}, {"expiry", iso8601(expiry)}});
}

}  // namespace tombolo::admin
