// tombolo container create | list | delete
#include <CLI/CLI.hpp>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

std::string path_of(const std::string& account, const std::string& container) {
  const std::string path = "accounts/" + percent_encode(account) + "/containers";
  return container.empty() ? path : path + "/" + percent_encode(container);
}

Result<int> create(const Session& session, Connection& connection, const std::string& name) {
  TRY_ASSIGN(const std::string account, chosen_account(session, connection));
  TRY_ASSIGN(const auto made, connection.post(path_of(account, ""), {{"name", name}}));
  if (session.json) {
    print_json(made);
  } else {
    print_table({{"created", made.at("url")}});
  }
  return 0;
}

Result<int> list(const Session& session, Connection& connection) {
  TRY_ASSIGN(const std::string account, chosen_account(session, connection));
  TRY_ASSIGN(const auto answer, connection.get(path_of(account, "")));
  if (session.json) {
    print_json(answer);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"CONTAINER", "CREATED", "URL"}};
  for (const auto& container : answer.at("containers")) {
    rows.push_back({container.at("name"), container.at("created"), container.at("url")});
  }
  print_table(rows);
  return 0;
}

Result<int> remove(const Session& session, Connection& connection, const std::string& name) {
  TRY_ASSIGN(const std::string account, chosen_account(session, connection));
  TRY_ASSIGN(const auto answer, connection.remove(path_of(account, name)));
  if (session.json) {
    print_json(answer);
  } else {
    print_table({{"deleted", name}});
  }
  return 0;
}

}  // namespace

void add_container_commands(CLI::App& app, Session& session) {
  auto* group = app.add_subcommand("container", "Containers of an account")->require_subcommand(1);
  group->add_option("--account", session.account, "Account; may be left out when there is only one");
  auto name = std::make_shared<std::string>();

  const auto add = [&](const char* verb, const char* help, auto body) {
    auto* command = group->add_subcommand(verb, help);
    command->fallthrough();
    command->add_option("NAME", *name)->required();
    command->callback([&session, name, body] {
      session.action = [&session, name, body] {
        return with_connection(session, [&](Connection& connection) { return body(session, connection, *name); });
      };
    });
  };
  add("create", "Create a container (AzCopy does not)", create);
  add("delete", "Delete a container and all it holds", remove);
  auto* listing = group->add_subcommand("list", "List containers");
  listing->fallthrough();
  listing->callback([&session] {
    session.action = [&session] {
      return with_connection(session, [&](Connection& connection) { return list(session, connection); });
    };
  });
}

}  // namespace tombolo::cli
