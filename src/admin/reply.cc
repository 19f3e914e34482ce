#include "admin/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tombolo::admin {
namespace {

int status_of(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kOutOfRange:
    case Code::kTooLarge:
    case Code::kUnsupported:
      return 400;
    case Code::kUnauthenticated:
      return 401;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
    case Code::kChangedOutside:
    case Code::kConflict:
      return 409;
    case Code::kConditionFailed:
      return 412;
    case Code::kBusy:
    case Code::kNoSpace:
    case Code::kUnavailable:
    case Code::kCancelled:
      return 503;
    case Code::kDeadline:
      return 504;
    case Code::kUnknownOutcome:
    case Code::kCorrupt:
    case Code::kInternal:
      return 500;
  }
  return 500;
}

}  // namespace

Reply json_reply(int status, const nlohmann::json& json) {
  // Names may hold bytes that are no UTF-8: they are replaced, an answer is always valid JSON.
  return {status, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

Reply error_reply(const Error& error) {
  return json_reply(status_of(error.code),
                    {{"error", {{"code", std::string(code_name(error.code))}, {"message", error.message}}}});
}

Error naming(Error error, const std::string& container) {
  if (error.detail == "ContainerNotFound") {
    error.message =
        fmt::format("there is no container \"{}\": `tombolo container list` shows those there are", container);
  }
  if (error.detail == "ContainerAlreadyExists") {
    error.message = fmt::format("the container \"{}\" exists: use it as it is, or take another name", container);
  }
  return error;
}

Error no_account(const std::string& name) {
  return {Code::kNotFound,
          fmt::format("there is no account \"{}\": `tombolo account list` shows those there are", name)};
}

Result<nlohmann::json> parse_object(const std::string& body, const std::vector<std::string>& required,
                                    const std::vector<std::string>& texts, const std::vector<std::string>& others) {
  auto json = nlohmann::json::parse(body.empty() ? "{}" : body, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) return Error{Code::kInvalid, "the body must be one JSON object"};
  for (const auto& name : required) {
    if (!json.contains(name)) return Error{Code::kInvalid, fmt::format("\"{}\" is missing", name)};
  }
  for (const auto& [name, value] : json.items()) {
    const auto is_among = [&name](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (is_among(others)) continue;
    if (!is_among(required) && !is_among(texts)) {
      return Error{Code::kInvalid, fmt::format("\"{}\" is not known here", name)};
    }
    // Taken for absent, a container that is a number would make a SAS for all of them.
    if (!value.is_string()) return Error{Code::kInvalid, fmt::format("\"{}\" must be a text", name)};
  }
  return json;
}

std::string text_of(const nlohmann::json& json, const std::string& member) {
  const auto it = json.find(member);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

Result<std::uint64_t> number_of(const nlohmann::json& json, const std::string& member, std::uint64_t otherwise) {
  const auto it = json.find(member);
  if (it == json.end()) return otherwise;
  if (!it->is_number_unsigned()) return Error{Code::kInvalid, fmt::format("\"{}\" must be a whole number", member)};
  return it->get<std::uint64_t>();
}

Result<bool> flag_of(const nlohmann::json& json, const std::string& member) {
  const auto it = json.find(member);
  if (it == json.end()) return false;
  if (!it->is_boolean()) return Error{Code::kInvalid, fmt::format("\"{}\" must be true or false", member)};
  return it->get<bool>();
}

}  // namespace tombolo::admin
