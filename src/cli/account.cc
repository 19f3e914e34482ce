// tombolo account create | list | keys
#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

void print_keys(const Invocation& invocation, const nlohmann::json& account) {
  if (invocation.json()) return print_json(account);
  print_table({{"account", account.at("name")},
               {"key1", account.at("key1")},
               {"key2", account.at("key2")},
               {"blob endpoint", account.at("blob_endpoint")},
               {"connection string", account.at("connection_string")}});
}

}  // namespace

Result<int> account_create(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto made, connection.post("accounts", {{"name", invocation.text("NAME")}}));
  print_keys(invocation, made);
  return 0;
}

Result<int> account_list(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto answer, connection.get("accounts"));
  if (invocation.json()) {
    print_json(answer);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"ACCOUNT", "BLOB ENDPOINT"}};
  for (const auto& account : answer.at("accounts")) {
    rows.push_back({account.at("name"), account.at("blob_endpoint")});
  }
  print_table(rows);
  return 0;
}

Result<int> account_keys(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto account, connection.get("accounts/" + percent_encode(invocation.text("NAME")) + "/keys"));
  std::string only = invocation.text("--only");
  if (only.empty()) {
    print_keys(invocation, account);
    return 0;
  }
  if (only == "endpoint") only = "blob_endpoint";
  if (only == "connection-string") only = "connection_string";
  if (invocation.json()) {
    print_json({{only, account.at(only)}});
  } else {
    print_table({{account.at(only).get<std::string>()}});
  }
  return 0;
}

}  // namespace tombolo::cli
