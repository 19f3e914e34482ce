// SAS: what is accepted has one reading only, and what is made is accepted.
#include "auth/sas.h"

#include <algorithm>

#include "auth/sas_make.h"
#include "base/ascii.h"
#include "base/encoding.h"
#include "base/times.h"
#include "http/message.h"
#include "testing/fuzz.h"

namespace tombolo::auth {
namespace {

constexpr std::string_view kAccount = "tombolotest";

/// A request from "/container/blob?query".
struct Target {
  std::string container, blob;
  std::vector<http::QueryParam> query;

  static std::optional<Target> of(std::string_view text) {
    const std::size_t mark = std::min(text.find('?'), text.size());
    std::string_view path = text.substr(0, mark);
    if (path.starts_with('/')) path.remove_prefix(1);
    const std::size_t slash = std::min(path.find('/'), path.size());
    const auto container = percent_decode(path.substr(0, slash));
    const auto blob = percent_decode(path.substr(std::min(slash + 1, path.size())));
    auto query = http::parse_query(text.substr(std::min(mark + 1, text.size())), http::Plus::kSpace);
    if (!container || !blob || !query.ok()) return std::nullopt;
    return Target{*container, *blob, *std::move(query)};
  }

  SignedRequest view() const {
    SignedRequest out{.method = "GET", .account = kAccount, .container = container, .blob = blob};
    for (const http::QueryParam& parameter : query) out.query.push_back({parameter.name, parameter.value});
    return out;
  }
};

std::string to_sign(const Sas& sas, const SignedRequest& request) {
  return sas_string_to_sign(sas.kind, sas.fields,
                            {.account = request.account, .container = request.container, .blob = request.blob});
}

// Fields are told apart by line feeds alone: if one could hold a line feed, a signature for one set of rights would be
// a signature for another.
void check_one_reading(const Sas& sas, const SignedRequest& request) {
  const std::string text = to_sign(sas, request);
  const bool account = sas.kind == SasKind::kAccount;
  std::ptrdiff_t lines = account ? 9 : 12;
  if (!account && sas.fields.sv >= "2018-11-09") lines += 2;
  if (sas.fields.sv >= "2020-12-06") lines += 1;
  ASSERT(std::count(text.begin(), text.end(), '\n') == lines);
  ASSERT(text.find('\0') == std::string::npos || request.container.find('\0') != std::string::npos ||
         request.blob.find('\0') != std::string::npos);
}

void check_fields(const Sas& sas) {
  ASSERT(!sas.permissions.empty() && !sas.signature.empty());
  ASSERT(parse_permissions(sas.kind, to_string(sas.kind, sas.permissions)) == sas.permissions);
  ASSERT(parse_iso8601(sas.fields.se) == sas.expiry && !sas.fields.sv.empty());
  ASSERT(base64_encode(sas.signature) == sas.fields.sig);
  if (sas.kind == SasKind::kAccount) {
    ASSERT(parse_services(to_string(sas.services)) == sas.services && !sas.services.empty());
    ASSERT(parse_resource_types(to_string(sas.types)) == sas.types && !sas.types.empty());
    ASSERT(!sas.for_blob());
  } else {
    ASSERT(sas.fields.si.empty() && sas.for_blob() == (sas.fields.sr != "c"));
  }
  if (sas.ip) ASSERT(sas.ip->first <= sas.ip->last);
}

// A parameter said twice, in whatever case, must never be taken.
void check_no_doubles(Target target) {
  for (const std::string_view name : {"sig", "SP", "Se", "sr", "ss"}) {
    const std::size_t size = target.query.size();
    for (std::size_t i = 0; i < size; ++i) {
      if (!equal_ignoring_case(target.query[i].name, name)) continue;
      target.query.push_back({std::string(name), target.query[i].value});
      ASSERT(!parse_sas(target.view()).ok());
      target.query.pop_back();
      break;
    }
  }
}

WallTime in_whole_seconds(WallTime time) {
  return {time.micros - time.micros % 1'000'000};
}

SasTerms terms_of(fuzz::Pieces& pieces, SasKind kind) {
  constexpr std::uint64_t kSpanMicros = 100ULL * 365 * 24 * 3600 * 1'000'000;
  SasTerms terms;
  for (unsigned bit = 0; bit < kPermissionCount; ++bit) {
    const auto one = static_cast<Permission>(bit);
    if (pieces.flag() && every_permission(kind).has(one)) terms.permissions.add(one);
  }
  terms.expiry = WallTime{static_cast<std::int64_t>(pieces.u64() % kSpanMicros)};
  if (pieces.flag()) terms.start = WallTime{static_cast<std::int64_t>(pieces.u64() % kSpanMicros)};
  if (pieces.flag()) terms.ip = pieces.text();
  terms.protocol = pieces.flag() ? SasProtocol::kHttpsOnly : SasProtocol::kHttpsAndHttp;
  return terms;
}

// What is made is taken, says what was wanted, and is signed over what a verifier will compute.
void check_made(const Result<std::string>& made, const SasTerms& terms, const AccountKeys& keys, Target target) {
  if (!made.ok()) return;
  auto query = http::parse_query(*made, http::Plus::kSpace);
  ASSERT(query.ok());
  target.query = *std::move(query);
  const SignedRequest request = target.view();
  const auto sas = parse_sas(request);
  ASSERT(sas.ok() && sas->permissions == terms.permissions && sas->expiry == in_whole_seconds(terms.expiry));
  ASSERT(sas->start.has_value() == terms.start.has_value());
  if (sas->start) ASSERT(*sas->start == in_whole_seconds(*terms.start) && *sas->start < sas->expiry);
  ASSERT(sas->https_only == (terms.protocol == SasProtocol::kHttpsOnly));
  ASSERT(sas->ip.has_value() == !terms.ip.empty() && sas->fields.sip == terms.ip);
  ASSERT(signed_by(PreparedKeys(keys), to_sign(*sas, request), sas->signature));
  check_one_reading(*sas, request);
}

}  // namespace

FUZZ(auth_sas) {
  const fuzz::Exact copy(as_text(input));
  if (auto target = Target::of(copy.text())) {
    const SignedRequest request = target->view();
    const auto sas = parse_sas(request);
    if (sas.ok()) {
      ASSERT(has_sas(request));
      check_fields(*sas);
      check_one_reading(*sas, request);
      check_no_doubles(*target);
    }
  }
  fuzz::Pieces pieces(input);
  const AccountKeys keys{.account = std::string(kAccount), .key1 = to_bytes("key"), .key2 = {}};
  if (pieces.flag()) {
    const SasTerms terms = terms_of(pieces, SasKind::kAccount);
    check_made(make_account_sas(keys, {.terms = terms}), terms, keys, {.container = "c", .blob = "b", .query = {}});
  } else {
    const SasTerms terms = terms_of(pieces, SasKind::kService);
    Target target{.container = pieces.text(), .blob = pieces.text(), .query = {}};
    const ServiceSasRequest wanted{.terms = terms, .container = target.container, .blob = target.blob};
    check_made(make_service_sas(keys, wanted), terms, keys, std::move(target));
  }
}

}  // namespace tombolo::auth
