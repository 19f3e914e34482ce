// tombolo sas
#include <CLI/CLI.hpp>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {

void add_sas_command(CLI::App& app, Session& session) {
  struct Options {
    std::string target, permissions, ip;
    std::uint64_t hours = 24;
    bool https_only = false;
  };
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("sas", "Print a URL with a shared access signature, ready for `azcopy copy`");
  command->add_option("CONTAINER[/BLOB]", options->target, "What it opens; left out: the whole account");
  command->add_option("--account", session.account, "Account; may be left out when there is only one");
  command->add_option("--permissions", options->permissions,
                      "Letters of: r read, a add, c create, w write, d delete, l list");
  command->add_option("--hours", options->hours, "How long it is valid")->capture_default_str();
  command->add_option("--ip", options->ip, "Address or range (a.b.c.d-e.f.g.h) it may be used from");
  command->add_flag("--https-only", options->https_only, "Refused over plain http");
  command->callback([&session, options] {
    session.action = [&session, options] {
      return with_connection(session, [&](Connection& connection) -> Result<int> {
        TRY_ASSIGN(const std::string account, chosen_account(session, connection));
        const auto [container, blob] = split_target(options->target);
        nlohmann::json body = {{"hours", options->hours}, {"https_only", options->https_only}};
        if (!container.empty()) body["container"] = container;
        if (!blob.empty()) body["blob"] = blob;
        if (!options->permissions.empty()) body["permissions"] = options->permissions;
        if (!options->ip.empty()) body["ip"] = options->ip;
        TRY_ASSIGN(const auto answer, connection.post("accounts/" + percent_encode(account) + "/sas", body));
        if (session.json) {
          print_json(answer);
        } else {
          print_table({{answer.at("url").get<std::string>()}});
        }
        return 0;
      });
    };
  });
}

}  // namespace tombolo::cli
