// tombolo container create | list | delete
#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

std::string path_of(const std::string& account, const std::string& container) {
  const std::string path = "accounts/" + percent_encode(account) + "/containers";
  return container.empty() ? path : path + "/" + percent_encode(container);
}

}  // namespace

Result<int> container_create(const Invocation& invocation, Connection& connection) {
  const std::string name = invocation.text("NAME");
  TRY_ASSIGN(const std::string account, chosen_account(invocation, connection));
  TRY_ASSIGN(const auto made, connection.post(path_of(account, ""), {{"name", name}}));
  if (invocation.json()) {
    print_json(made);
  } else {
    print_table({{"created", made.at("url")}});
  }
  return 0;
}

Result<int> container_list(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const std::string account, chosen_account(invocation, connection));
  TRY_ASSIGN(const auto answer, connection.get(path_of(account, "")));
  if (invocation.json()) {
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

Result<int> container_delete(const Invocation& invocation, Connection& connection) {
  const std::string name = invocation.text("NAME");
  TRY_ASSIGN(const std::string account, chosen_account(invocation, connection));
  TRY_ASSIGN(const auto answer, connection.remove(path_of(account, name)));
  if (invocation.json()) {
    print_json(answer);
  } else {
    print_table({{"deleted", name}});
  }
  return 0;
}

}  // namespace tombolo::cli
