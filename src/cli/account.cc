// tombolo account create | list | keys
#include <CLI/CLI.hpp>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

void print_keys(const Session& session, const nlohmann::json& account) {
  if (session.json) return print_json(account);
  print_table({{"account", account.at("name")},
               {"key1", account.at("key1")},
               {"key2", account.at("key2")},
               {"blob endpoint", account.at("blob_endpoint")},
               {"connection string", account.at("connection_string")}});
}

}  // namespace

void add_account_commands(CLI::App& app, Session& session) {
  auto* group = app.add_subcommand("account", "Storage accounts and their keys")->require_subcommand(1);
  auto name = std::make_shared<std::string>();

  auto* create = group->add_subcommand("create", "Create an account with two fresh keys");
  create->add_option("NAME", *name, "3 to 24 lower-case letters and digits")->required();
  create->callback([&session, name] {
    session.action = [&session, name] {
      return with_connection(session, [&](Connection& connection) -> Result<int> {
        TRY_ASSIGN(const auto made, connection.post("accounts", {{"name", *name}}));
        print_keys(session, made);
        return 0;
      });
    };
  });

  group->add_subcommand("list", "List accounts")->callback([&session] {
    session.action = [&session] {
      return with_connection(session, [&](Connection& connection) -> Result<int> {
        TRY_ASSIGN(const auto answer, connection.get("accounts"));
        if (session.json) {
          print_json(answer);
          return 0;
        }
        std::vector<std::vector<std::string>> rows = {{"ACCOUNT", "BLOB ENDPOINT"}};
        for (const auto& account : answer.at("accounts")) {
          rows.push_back({account.at("name"), account.at("blob_endpoint")});
        }
        print_table(rows);
        return 0;
      });
    };
  });

  auto* keys = group->add_subcommand("keys", "Show an account's keys and connection string");
  keys->add_option("NAME", *name)->required();
  keys->callback([&session, name] {
    session.action = [&session, name] {
      return with_connection(session, [&](Connection& connection) -> Result<int> {
        TRY_ASSIGN(const auto account, connection.get("accounts/" + percent_encode(*name) + "/keys"));
        print_keys(session, account);
        return 0;
      });
    };
  });
}

}  // namespace tombolo::cli
