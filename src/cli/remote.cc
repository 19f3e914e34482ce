// tombolo remote add | list | test
#include <CLI/CLI.hpp>
#include <cstdlib>

#include <fmt/format.h>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

struct AddOptions {
  std::string name, kind, endpoint, bucket, prefix, account;
};

Result<int> add(const Session& session, Connection& connection, const AddOptions& options) {
  nlohmann::json body = {{"name", options.name}, {"kind", options.kind}, {"endpoint", options.endpoint}};
  const auto set = [&body](const char* member, const std::string& text) {
    if (!text.empty()) body[member] = text;
  };
  set("bucket", options.bucket);
  set("prefix", options.prefix);
  set("account", options.account);
  // Secrets come through the environment: arguments are seen by everybody on the machine.
  for (const auto& [variable, member] :
       {std::pair("TOMBOLO_REMOTE_KEY", "key"), std::pair("TOMBOLO_REMOTE_SAS", "sas")}) {
    if (const char* secret = std::getenv(variable); secret != nullptr) set(member, secret);
  }
  TRY_ASSIGN(const auto made, connection.post("remotes", body));
  if (session.json) {
    print_json(made);
  } else {
    print_table({{"added", made.at("name")}, {"next", fmt::format("tombolo remote test {}", options.name)}});
  }
  return 0;
}

Result<int> list(const Session& session, Connection& connection) {
  TRY_ASSIGN(const auto answer, connection.get("remotes"));
  if (session.json) {
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

Result<int> test(const Session& session, Connection& connection, const std::string& name) {
  TRY_ASSIGN(const auto answer, connection.post("remotes/" + percent_encode(name) + "/test", nlohmann::json::object()));
  const bool ok = answer.at("ok");
  if (session.json) {
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

}  // namespace

void add_remote_commands(CLI::App& app, Session& session) {
  auto* group = app.add_subcommand("remote", "External object stores for cold bytes")->require_subcommand(1);
  auto options = std::make_shared<AddOptions>();

  auto* adding = group->add_subcommand(
      "add", "Add a remote. Secrets: TOMBOLO_REMOTE_KEY (account key) or TOMBOLO_REMOTE_SAS in the environment");
  adding->add_option("NAME", options->name, "Lower-case letters, digits, '-'")->required();
  adding->add_option("--kind", options->kind, "azure or file")->required();
  adding->add_option("--endpoint", options->endpoint, "azure: URL of the account's Blob service; file: a directory")
      ->required();
  adding->add_option("--bucket", options->bucket, "azure: the container");
  adding->add_option("--prefix", options->prefix, "Of every key, ending in /");
  adding->add_option("--remote-account", options->account, "azure: the account's name");
  adding->callback([&session, options] {
    session.action = [&session, options] {
      return with_connection(session, [&](Connection& connection) { return add(session, connection, *options); });
    };
  });

  group->add_subcommand("list", "List remotes and their health")->callback([&session] {
    session.action = [&session] {
      return with_connection(session, [&](Connection& connection) { return list(session, connection); });
    };
  });

  auto* testing = group->add_subcommand("test", "Try everything that tombolo needs of a remote");
  testing->add_option("NAME", options->name)->required();
  testing->callback([&session, options] {
    session.action = [&session, options] {
      return with_connection(session, [&](Connection& connection) { return test(session, connection, options->name); });
    };
  });
}

}  // namespace tombolo::cli
