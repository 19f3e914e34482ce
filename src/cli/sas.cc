// tombolo sas
#include <fmt/format.h>

#include <cstdio>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {

Result<int> sas(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto target, split_target(invocation.text("CONTAINER[/BLOB]")));
  const auto& [container, blob] = target;
  // One '/' behind a name ends the name of a folder's marker, as some clients write them.
  const bool is_marker = blob.ends_with('/');
  if (blob == "/" || blob.ends_with("//")) {
    return Error{Code::kInvalid,
                 fmt::format("\"{}/{}\" names nothing before its last '/': is a variable of your shell not set? A SAS "
                             "opens one blob, whose whole name it takes, or the container ({}), and no folder",
                             container, blob, container)};
  }
  TRY_ASSIGN(const std::string account, chosen_account(invocation, connection));
  nlohmann::json body = {{"hours", invocation.number("--hours")}, {"https_only", invocation.has("--https-only")}};
  if (!container.empty()) body["container"] = container;
  if (!blob.empty()) body["blob"] = blob;
  if (invocation.has("--permissions")) body["permissions"] = invocation.text("--permissions");
  if (invocation.has("--ip")) body["ip"] = invocation.text("--ip");
  TRY_ASSIGN(const auto answer, connection.post("accounts/" + percent_encode(account) + "/sas", body));
  if (invocation.json()) {
    print_json(answer);
  } else {
    print_table({{answer.at("url").get<std::string>()}});
  }
  if (is_marker) {
    std::fputs(
        fmt::format("tombolo: this opens the one blob \"{}\", and nothing in a folder of that name\n", printable(blob))
            .c_str(),
        stderr);
  }
  return 0;
}

}  // namespace tombolo::cli
