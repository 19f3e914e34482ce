#include "admin/audit.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/times.h"

namespace tombolo::admin {
namespace {

// Members of bodies that are told. Everything else, keys and signatures among it, is left out: a new member is secret
// until it is named here.
constexpr std::array<std::string_view, 13> kTold = {"name",   "container",  "blob", "permissions", "hours",
                                                    "ip",     "https_only", "kind", "bucket",      "prefix",
                                                    "remote", "evict",      "which"};

// An URL without what may be a credential: user information, and the query, where a SAS is.
std::string bare_url(std::string url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = url.find('@', begin);
  if (at != std::string::npos && at < url.find('/', begin)) url.erase(begin, at + 1 - begin);
  return url;
}

std::string joined(const std::vector<std::string>& path) {
  std::string out;
  for (const std::string& part : path) out += (out.empty() ? "" : "/") + part;
  return out;
}

/// fsck alone changes nothing.
bool repairs(const Call& call) {
  const auto body = nlohmann::json::parse(call.body, nullptr, /*allow_exceptions=*/false);
  return body.is_object() && body.contains("repair") && body["repair"] != false;
}

/// That of a remote: an empty one is none.
bool names_credential(const nlohmann::json& body) {
  const auto given = [&body](const char* member) {
    const auto found = body.find(member);
    return found != body.end() && *found != "";
  };
  return given("key") || given("sas");
}

/// Nothing is told of arrays and objects: no member takes one, and writing a deep one takes a stack as deep.
std::string text_of_value(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_structured() ? "…" : value.dump();
}

}  // namespace

std::string audit_line(const AuditRecord& record, WallTime now) {
  nlohmann::ordered_json line = {{"time", iso8601_7(now)},  {"action", record.action},        {"target", record.target},
                                 {"result", record.result}, {"status", record.status},        {"who", record.who},
                                 {"from", record.from},     {"request_id", record.request_id}};
  nlohmann::ordered_json details = nlohmann::ordered_json::object();
  for (const auto& [name, value] : record.details) details[name] = value;
  line["details"] = std::move(details);
  // Names may hold bytes that are no UTF-8: they are replaced. JSON escapes newlines: a record is always one line.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::optional<std::string> audited_action(const Call& call) {
  if (call.path.empty()) return std::nullopt;
  const std::string first = call.path[0];
  const std::string third = call.path.size() > 2 ? call.path[2] : "";
  const bool looking = call.method == "GET" || call.method == "HEAD";
  if (third == "keys") return looking ? "account.keys.show" : "account.keys.regenerate";
  if (looking || third == "test") return std::nullopt;
  if (first == "fsck") return repairs(call) ? std::optional<std::string>("fsck.repair") : std::nullopt;
  if (third == "sas") return "sas.issue";
  const std::string verb = call.method == "POST" ? "create" : call.method == "DELETE" ? "delete" : "change";
  if (third == "containers") return "container." + verb;
  if (first == "accounts") return "account." + verb;
  if (first == "remotes") return verb == "create" ? "remote.add" : verb == "delete" ? "remote.remove" : "remote.change";
  if (first == "jobs") return verb == "create" ? "job.start" : "job.cancel";
  return first + "." + verb;  // a resource of the future is audited before anybody thinks of it
}

AuditRecord describe(const Call& call, std::string action) {
  AuditRecord record;
  record.action = std::move(action);
  record.target = joined(call.path);
  const auto body = nlohmann::json::parse(call.body, nullptr, /*allow_exceptions=*/false);
  if (body.is_discarded() || !body.is_object()) return record;
  for (const auto& [name, value] : body.items()) {
    if (std::find(kTold.begin(), kTold.end(), name) != kTold.end()) {
      record.details.emplace_back(name, text_of_value(value));
    } else if (name == "endpoint" && value.is_string()) {
      record.details.emplace_back(name, bare_url(value.get<std::string>()));
    } else if (name == "account" && value.is_string()) {
      record.details.emplace_back(name, value.get<std::string>());
    }
  }
  if (record.action == "remote.change" && names_credential(body)) record.details.emplace_back("credential", "replaced");
  return record;
}

}  // namespace tombolo::admin
