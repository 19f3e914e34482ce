// Requests and answers of the admin API as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/error.h"
#include "http/message.h"

namespace tombolo::admin {

/// A request as a resource sees it.
struct Call {
  std::string method;
  std::vector<std::string> path;  // decoded parts behind /v1/
  std::vector<http::QueryParam> query;
  std::string body;  // JSON text, at most kBodyBytesMax
};
inline constexpr std::size_t kBodyBytesMax = 1024 * 1024;

struct Reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
};

Reply json_reply(int status, const nlohmann::json& json);
/// {"error": {"code", "message"}} with the status that fits the code.
Reply error_reply(const Error& error);

/// `error`, saying which container is not there where it is about that: the floors below do not name it.
Error naming(Error error, const std::string& container);

/// kNotFound for an account.
Error no_account(const std::string& name);

/// An object with only the named members; kInvalid names the first that is missing, of the wrong type or unknown.
/// Those of `required` and `texts` are texts; `others` are for number_of() and flag_of() to judge.
Result<nlohmann::json> parse_object(const std::string& body, const std::vector<std::string>& required,
                                    const std::vector<std::string>& texts, const std::vector<std::string>& others = {});
/// The member as text; empty when absent. Requires parse_object's checks.
std::string text_of(const nlohmann::json& json, const std::string& member);
/// The member, or `otherwise` when absent; kInvalid when it is no whole number, not true or false.
Result<std::uint64_t> number_of(const nlohmann::json& json, const std::string& member, std::uint64_t otherwise);
Result<bool> flag_of(const nlohmann::json& json, const std::string& member);  // absent: false

}  // namespace tombolo::admin
