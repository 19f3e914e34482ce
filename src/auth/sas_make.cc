#include "auth/sas_make.h"

#include "auth/codes.h"
#include "auth/sas.h"
#include "base/encoding.h"
#include "base/times.h"

namespace tombolo::auth {
namespace {

Error invalid(std::string why) {
  return {Code::kInvalid, std::move(why)};
}

void append(std::string& query, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (!query.empty()) query += '&';
  query += name;
  query += '=';
  query += percent_encode(value);
}

// The terms as text, alive for as long as the fields that view them.
struct TermsText {
  std::string permissions, start, expiry, protocol;
};

Result<TermsText> write_terms(const AccountKeys& keys, SasKind kind, const SasTerms& terms) {
  if (keys.key1.empty()) return invalid("the account has no key1 to sign with");
  TermsText text;
  text.permissions = to_string(kind, terms.permissions);
  if (parse_permissions(kind, text.permissions) != terms.permissions) {
    return invalid("a SAS needs at least one permission, and only those that its kind knows");
  }
  if (!terms.ip.empty() && !parse_ip_range(terms.ip)) {
    return invalid("not an IPv4 address or range: " + terms.ip);
  }
  text.expiry = iso8601(terms.expiry);
  if (terms.start) {
    text.start = iso8601(*terms.start);
    // As they are written, in whole seconds: within one second it would never be valid.
    if (text.start >= text.expiry) return invalid("the SAS would expire before it starts");
  }
  text.protocol = terms.protocol == SasProtocol::kHttpsOnly ? "https" : "https,http";
  return text;
}

void set_terms(SasFields& fields, const TermsText& text, const SasTerms& terms) {
  fields.sv = kMadeSasVersion;
  fields.sp = text.permissions;
  fields.st = text.start;
  fields.se = text.expiry;
  fields.sip = terms.ip;
  fields.spr = text.protocol;
}

std::string common_query(const SasFields& fields) {
  std::string query;
  append(query, "sv", fields.sv);
  append(query, "st", fields.st);
  append(query, "se", fields.se);
  append(query, "sp", fields.sp);
  append(query, "sip", fields.sip);
  append(query, "spr", fields.spr);
  return query;
}

}  // namespace

Result<std::string> make_account_sas(const AccountKeys& keys, const AccountSasRequest& request) {
  TRY_ASSIGN(const TermsText text, write_terms(keys, SasKind::kAccount, request.terms));
  const std::string services = to_string(request.services);
  const std::string types = to_string(request.types);
  if (services.empty() || types.empty()) return invalid("an account SAS needs a service and a resource type");
  SasFields fields;
  set_terms(fields, text, request.terms);
  fields.ss = services;
  fields.srt = types;
  std::string query = common_query(fields);
  append(query, "ss", fields.ss);
  append(query, "srt", fields.srt);
  append(query, "sig", sign_text(keys.key1, sas_string_to_sign(SasKind::kAccount, fields, {.account = keys.account})));
  return query;
}

Result<std::string> make_service_sas(const AccountKeys& keys, const ServiceSasRequest& request) {
  TRY_ASSIGN(const TermsText text, write_terms(keys, SasKind::kService, request.terms));
  // As parse_sas: such a name would pass for other fields, or for a blob.
  if (request.container.empty() || request.container.find_first_of("/\n") != std::string::npos) {
    return invalid("a service SAS needs a container, whose name has neither slash nor line feed");
  }
  if (request.blob.find('\n') != std::string::npos) {
    return invalid("no SAS for a blob whose name has a line feed: use one for the container");
  }
  SasFields fields;
  set_terms(fields, text, request.terms);
  fields.sr = request.blob.empty() ? "c" : "b";
  const SasTarget target{.account = keys.account, .container = request.container, .blob = request.blob};
  std::string query = common_query(fields);
  append(query, "sr", fields.sr);
  append(query, "sig", sign_text(keys.key1, sas_string_to_sign(SasKind::kService, fields, target)));
  return query;
}

}  // namespace tombolo::auth
