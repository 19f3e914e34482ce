#include "auth/sas.h"

#include <array>
#include <cstdint>

#include "auth/codes.h"
#include "base/ascii.h"
#include "base/encoding.h"
#include "base/times.h"

namespace tombolo::auth {
namespace {

bool has_control_character(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
  }
  return false;
}

constexpr std::string_view kSignsResourceSince = "2018-11-09";  // adds sr and the snapshot's time
constexpr std::string_view kSignsScopeSince = "2020-12-06";     // adds ses

struct Parameter {
  std::string_view name;
  std::string_view SasFields::* field;
};

constexpr auto kParameters = std::to_array<Parameter>({
    {"sv", &SasFields::sv},
    {"sp", &SasFields::sp},
    {"st", &SasFields::st},
    {"se", &SasFields::se},
    {"sip", &SasFields::sip},
    {"spr", &SasFields::spr},
    {"ses", &SasFields::ses},
    {"sig", &SasFields::sig},
    {"ss", &SasFields::ss},
    {"srt", &SasFields::srt},
    {"sr", &SasFields::sr},
    {"si", &SasFields::si},
    {"rscc", &SasFields::rscc},
    {"rscd", &SasFields::rscd},
    {"rsce", &SasFields::rsce},
    {"rscl", &SasFields::rscl},
    {"rsct", &SasFields::rsct},
    {"snapshot", &SasFields::snapshot},
    {"versionid", &SasFields::versionid},
});

static_assert(kParameters.size() <= 32);

// Of user delegation and directory SAS.
constexpr auto kUnbuilt = std::to_array<std::string_view>(
    {"skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid", "skdutid", "sduoid", "srh", "srq", "sdd"});

const Parameter* find_parameter(std::string_view name) {
  for (const Parameter& parameter : kParameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

bool is_unbuilt(std::string_view name) {
  for (const std::string_view unbuilt : kUnbuilt) {
    if (unbuilt == name) return true;
  }
  return false;
}

Error malformed(std::string_view name) {
  return authentication_failed("signature fields not well formed: " + std::string(name));
}

Error invalid_value(std::string why) {
  return {Code::kInvalid, std::move(why), codes::kInvalidQueryParameterValue};
}

// Names are compared without case, so that "SIG=" beside "sig=" cannot mean two things to two readers.
Result<SasFields> collect(const SignedRequest& request) {
  SasFields fields;
  std::uint32_t seen = 0;
  bool unbuilt = false;
  for (const NameValue& pair : request.query) {
    const std::string name = lower(pair.name);
    unbuilt = unbuilt || is_unbuilt(name);
    const Parameter* parameter = find_parameter(name);
    if (parameter == nullptr) continue;
    const std::uint32_t bit = 1U << (parameter - kParameters.data());
    if ((seen & bit) != 0) return invalid_value("query parameter given twice: " + name);
    seen |= bit;
    fields.*(parameter->field) = pair.value;
  }
  if (unbuilt) return authentication_failed("user delegation and directory SAS are not supported");
  return fields;
}

bool is_sas_version(std::string_view text) {
  return text.size() == 10 && parse_iso8601(text) && text >= kOldestSasVersion;
}

// What both kinds have in common.
Result<Sas> parse_common(SasKind kind, const SasFields& fields) {
  Sas sas;
  sas.kind = kind;
  sas.fields = fields;
  if (!is_sas_version(fields.sv)) return malformed("sv");
  auto signature = base64_decode(fields.sig);
  if (!signature || signature->empty()) return malformed("sig");
  sas.signature = *std::move(signature);

  const auto permissions = parse_permissions(kind, fields.sp);
  if (!permissions) return malformed("sp");
  sas.permissions = *permissions;

  const auto expiry = parse_iso8601(fields.se);
  if (!expiry) return malformed("se");
  sas.expiry = *expiry;
  if (!fields.st.empty()) {
    sas.start = parse_iso8601(fields.st);
    if (!sas.start) return malformed("st");
  }
  if (!fields.sip.empty()) {
    sas.ip = parse_ip_range(fields.sip);
    if (!sas.ip) return malformed("sip");
  }
  sas.https_only = fields.spr == "https";
  if (!fields.spr.empty() && !sas.https_only && fields.spr != "https,http") return malformed("spr");
  if (has_control_character(fields.ses)) return malformed("ses");
  return sas;
}

Result<Sas> parse_account(const SasFields& fields) {
  TRY_ASSIGN(Sas sas, parse_common(SasKind::kAccount, fields));
  const auto services = parse_services(fields.ss);
  if (!services) return malformed("ss");
  sas.services = *services;
  const auto types = parse_resource_types(fields.srt);
  if (!types) return malformed("srt");
  sas.types = *types;
  return sas;
}

Result<Sas> parse_service(const SasFields& fields, const SignedRequest& request) {
  if (!fields.si.empty()) return authentication_failed("stored access policies (si) are not supported");
  TRY_ASSIGN(Sas sas, parse_common(SasKind::kService, fields));
  if (fields.sr != "c" && fields.sr != "b" && fields.sr != "bs" && fields.sr != "bv") return malformed("sr");
  for (const std::string_view value : {fields.rscc, fields.rscd, fields.rsce, fields.rscl, fields.rsct}) {
    if (has_control_character(value)) return invalid_value("a response header of the SAS has a control character");
  }
  // The string to sign separates fields by line feeds, and before 2018-11-09 it does not say whether it names a
  // container or a blob: a name may neither span fields nor pass for the other kind.
  if (request.container.empty() || request.container.find_first_of("/\n") != std::string_view::npos) {
    return authentication_failed("a service SAS needs a container");
  }
  if (sas.for_blob() && (request.blob.empty() || request.blob.find('\n') != std::string_view::npos)) {
    return authentication_failed("this SAS is for one blob, whose name has no line feed");
  }
  if (sas.for_blob() && has_control_character(fields.snapshot)) return malformed("snapshot");
  if (sas.for_blob() && has_control_character(fields.versionid)) return malformed("versionid");
  return sas;
}

void line(std::string& out, std::string_view text) {
  out += text;
  out += '\n';
}

std::string account_string(const SasFields& fields, std::string_view account) {
  std::string out;
  for (const std::string_view value :
       {account, fields.sp, fields.ss, fields.srt, fields.st, fields.se, fields.sip, fields.spr, fields.sv}) {
    line(out, value);
  }
  if (fields.sv >= kSignsScopeSince) line(out, fields.ses);
  return out;
}

std::string canonical_resource(const SasFields& fields, SasTarget target) {
  std::string out = "/blob/";
  out += target.account;
  out += '/';
  out += target.container;
  if (fields.sr != "c") {
    out += '/';
    out += target.blob;
  }
  return out;
}

std::string service_string(const SasFields& fields, SasTarget target) {
  std::string out;
  for (const std::string_view value : {fields.sp, fields.st, fields.se}) line(out, value);
  line(out, canonical_resource(fields, target));
  for (const std::string_view value : {fields.si, fields.sip, fields.spr, fields.sv}) line(out, value);
  if (fields.sv >= kSignsResourceSince) {
    line(out, fields.sr);
    line(out, fields.sr == "bs" ? fields.snapshot : fields.sr == "bv" ? fields.versionid : std::string_view{});
  }
  if (fields.sv >= kSignsScopeSince) line(out, fields.ses);
  for (const std::string_view value : {fields.rscc, fields.rscd, fields.rsce, fields.rscl}) line(out, value);
  out += fields.rsct;
  return out;
}

}  // namespace

bool has_sas(const SignedRequest& request) {
  for (const NameValue& pair : request.query) {
    if (equal_ignoring_case(pair.name, "sig")) return true;
  }
  return false;
}

Result<Sas> parse_sas(const SignedRequest& request) {
  TRY_ASSIGN(const SasFields fields, collect(request));
  const bool account = !fields.ss.empty() || !fields.srt.empty();
  const bool service = !fields.sr.empty();
  if (account == service) return malformed("either ss and srt, or sr");
  return account ? parse_account(fields) : parse_service(fields, request);
}

std::string sas_string_to_sign(SasKind kind, const SasFields& fields, SasTarget target) {
  switch (kind) {
    case SasKind::kAccount:
      return account_string(fields, target.account);
    case SasKind::kService:
      return service_string(fields, target);
  }
  return {};
}

}  // namespace tombolo::auth
