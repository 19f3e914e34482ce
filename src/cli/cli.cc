#include "cli/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

void add_serve_command(CLI::App& app, Session& session, const Programs& programs) {
  auto arguments = std::make_shared<ServeArguments>();
  auto sets = std::make_shared<std::vector<std::string>>();
  auto data = std::make_shared<std::string>(), listen = std::make_shared<std::string>(),
       admin = std::make_shared<std::string>();
  auto dev = std::make_shared<bool>(false), help_settings = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("serve", "Run the server; it listens on loopback unless told otherwise");
  command->add_option("--data", *data, "Directory that holds everything; made when missing")->type_name("DIR");
  command->add_option("--config", arguments->config_file, "TOML file; docs/configuration.md names every key")
      ->type_name("FILE");
  command->add_option("--listen", *listen, "Where clients connect [127.0.0.1:10000]")->type_name("ADDRESS:PORT");
  command->add_option("--admin-listen", *admin, "Admin API, health and metrics [127.0.0.1:10080]")
      ->type_name("ADDRESS:PORT");
  command->add_flag("--dev", *dev, "Add the emulator's account devstoreaccount1 with its published key; loopback only");
  command->add_option("--set", *sets, "Any setting of the config file, for example cache.bytes=1GiB")
      ->type_name("KEY=VALUE");
  command->add_flag("--help-settings", *help_settings, "Print every setting with its default and effect, and exit");
  command->callback([&session, &programs, arguments, sets, data, listen, admin, dev, help_settings] {
    session.action = [&programs, arguments, sets, data, listen, admin, dev, help_settings] {
      if (*help_settings) {
        std::fputs(programs.settings_page().c_str(), stdout);
        return 0;
      }
      auto& settings = arguments->settings;
      for (const std::string& text : *sets) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos) return fail({Code::kInvalid, "--set takes KEY=VALUE, not \"" + text + "\""});
        settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
      }
      if (!data->empty()) settings.emplace_back("server.data", *data);
      if (!listen->empty()) settings.emplace_back("server.listen", *listen);
      if (!admin->empty()) settings.emplace_back("server.admin_listen", *admin);
      if (*dev) settings.emplace_back("server.dev", "true");
      return programs.serve(*arguments);
    };
  });
}

}  // namespace

Result<std::string> chosen_account(const Session& session, Connection& connection) {
  if (!session.account.empty()) return session.account;
  TRY_ASSIGN(const auto answer, connection.get("accounts"));
  const auto& accounts = answer.at("accounts");
  if (accounts.size() == 1) return accounts[0].at("name").get<std::string>();
  if (accounts.empty()) {
    return Error{Code::kInvalid, "there is no account yet: make one with `tombolo account create NAME`"};
  }
  return Error{Code::kInvalid, "there are several accounts: say which with --account NAME"};
}

std::pair<std::string, std::string> split_target(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return {text, ""};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

int with_connection(const Session& session, const std::function<Result<int>(Connection&)>& body) {
  auto connection = Connection::open(session.target);
  if (!connection.ok()) return fail(connection.error());
  auto result = body(*connection);
  return result.ok() ? *result : fail(result.error());
}

int run(int argc, const char* const* argv, const Programs& programs) {
  CLI::App app("tombolo: one durable namespace over local flash and object storage");
  app.set_version_flag("--version", programs.version);
  app.require_subcommand(1);
  Session session;
  app.add_option("--data", session.target.data, "Data directory of the server to talk to [TOMBOLO_DATA]")
      ->type_name("DIR");
  app.add_option("--admin", session.target.url, "Its admin URL [TOMBOLO_ADMIN_URL]")->type_name("URL");
  app.add_flag("--json", session.json, "Answer in JSON");
  app.fallthrough();
  add_serve_command(app, session, programs);
  add_account_commands(app, session);
  add_container_commands(app, session);
  add_sas_command(app, session);
  add_remote_commands(app, session);
  add_job_commands(app, session);
  add_status_command(app, session);
  add_fsck_command(app, session, programs);
  for (auto* command : app.get_subcommands({})) {
    if (command->get_name() != "serve") command->fallthrough();
    for (auto* inner : command->get_subcommands({})) inner->fallthrough();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return session.action ? session.action() : 2;
}

}  // namespace tombolo::cli
