// tombolo container create | list | delete
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

std::string path_of(const std::string& account, const std::string& container) {
  const std::string path = "accounts/" + percent_encode(account) + "/containers";
  return container.empty() ? path : path + "/" + percent_encode(container);
}

// Asked on a terminal only: a script has said what it means.
Result<void> confirm(const Invocation& invocation, const std::string& account, const std::string& name) {
  if (invocation.has("--yes") || ::isatty(STDIN_FILENO) != 1) return {};
  std::fputs(printable(fmt::format("Delete container {} of account {} and all it holds? There is no way back. [y/N] ",
                                   name, account))
                 .c_str(),
             stderr);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return {};
  return Error{Code::kInvalid, "nothing was deleted: answer y, or pass --yes"};
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
  TRY(confirm(invocation, account, name));
  TRY_ASSIGN(const auto answer, connection.remove(path_of(account, name)));
  if (invocation.json()) {
    print_json(answer);
  } else {
    print_table({{"deleted", name}});
  }
  return 0;
}

}  // namespace tombolo::cli
