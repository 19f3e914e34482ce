// tombolo remote add | list | test
#include <cstdlib>

#include <fmt/format.h>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
Result<int> remote_add(const Invocation& invocation, Connection& connection) {
  const std::string name = invocation.text("NAME");
  nlohmann::json body = {{"name", name}};
  for (const auto& [option, member] :
       {std::pair("--kind", "kind"), std::pair("--endpoint", "endpoint"), std::pair("--bucket", "bucket"),
        std::pair("--prefix", "prefix"), std::pair("--remote-account", "account")}) {
    if (invocation.has(option)) body[member] = invocation.text(option);
  }
  // Secrets come through the environment: arguments are seen by everybody on the machine.
  for (const auto& [variable, member] :
       {std::pair("TOMBOLO_REMOTE_KEY", "key"), std::pair("TOMBOLO_REMOTE_SAS", "sas")}) {
    if (const char* secret = std::getenv(variable); secret != nullptr && *secret != '\0') body[member] = secret;
  }
  TRY_ASSIGN(const auto made, connection.post("remotes", body));
  if (invocation.json()) {
    print_json(made);
  } else {
    print_table({{"added", made.at("name")}, {"next", fmt::format("tombolo remote test {}", name)}});
  }
  return 0;
}

Result<int> remote_list(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto answer, connection.get("remotes"));
  if (invocation.json()) {
    print_json(answer);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"REMOTE", "KIND", "WHERE", "HEALTH"}};
  for (const auto& remote : answer.at("remotes")) {
    std::string where = remote.at("endpoint");
    if (const std::string bucket = remote.at("bucket"); !bucket.empty()) where += "/" + bucket;
    if (const std::string prefix = remote.at("prefix"); !prefix.empty()) where += "/" + prefix;
    const bool healthy = remote.at("healthy");
    rows.push_back(
        {remote.at("name"), remote.at("kind"), where, healthy ? "ok" : remote.at("problem").get<std::string>()});
  }
  print_table(rows);
  return 0;
}

Result<int> remote_test(const Invocation& invocation, Connection& connection) {
  const std::string name = invocation.text("NAME");
  TRY_ASSIGN(const auto answer, connection.post("remotes/" + percent_encode(name) + "/test", nlohmann::json::object()));
  const bool ok = answer.at("ok");
  if (invocation.json()) {
    print_json(answer);
    return ok ? 0 : 1;
  }
  std::vector<std::vector<std::string>> rows = {{"STEP", "RESULT", "TIME"}};
  for (const auto& step : answer.at("steps")) {
    rows.push_back({step.at("what"), step.at("ok").get<bool>() ? "ok" : step.at("problem").get<std::string>(),
                    fmt::format("{:.1f} ms", step.at("milliseconds").get<double>())});
  }
  print_table(rows);
  return ok ? 0 : 1;
}

}  // namespace tombolo::cli
