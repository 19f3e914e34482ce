#include "cli/cli.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/parse.h"

namespace tombolo::cli {

Result<std::string> chosen_account(const Invocation& invocation, Connection& connection) {
  if (invocation.has("--account")) return invocation.text("--account");
  TRY_ASSIGN(const auto answer, connection.get("accounts"));
  const auto& accounts = answer.at("accounts");
  if (accounts.size() == 1) return accounts[0].at("name").get<std::string>();
  if (accounts.empty()) {
    return Error{Code::kInvalid, "there is no account yet: make one with `tombolo account create NAME`"};
  }
  std::string names;
  for (const auto& account : accounts) names += (names.empty() ? "" : ", ") + account.at("name").get<std::string>();
  return Error{Code::kInvalid, "there are several accounts (" + names + "): say which with --account NAME"};
}

Result<std::pair<std::string, std::string>> split_target(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return std::pair(text, std::string());
  auto parts = std::pair(text.substr(0, slash), text.substr(slash + 1));
  if (parts.first.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("\"{}\" names no container before the '/': is a variable of your shell not set?", text)};
  }
  if (parts.second.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("\"{}\" names nothing behind the '/': is a variable of your shell not set? "
                             "For the whole container write {}",
                             text, parts.first)};
  }
  return parts;
}

int run(int argc, const char* const* argv, const Programs& programs) {
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto parsed = parse(words, programs);
  if (!parsed.ok()) return fail_usage(parsed.error().message);
  if (std::holds_alternative<VersionWanted>(*parsed)) {
    std::fputs((programs.version + "\n").c_str(), stdout);
    return 0;
  }
  if (const auto* wanted = std::get_if<HelpWanted>(&*parsed)) {
    std::fputs(help_text(wanted->path).c_str(), stdout);
    return 0;
  }
  const auto& invocation = std::get<Invocation>(*parsed);
  const Command& command = invocation.command();
  if (command.local != nullptr) return command.local(invocation);
  auto connection = Connection::open(invocation.target());
  if (!connection.ok()) return fail(connection.error());
  try {
    const auto done = command.online(invocation, *connection);
    return done.ok() ? *done : fail(done.error());
  } catch (const nlohmann::json::exception& error) {
    return fail({Code::kUnsupported, std::string("the server's answer is not as expected (") + error.what() +
                                         "): are command and server of one version? `tombolo --version`, `tombolo "
                                         "status`"});
  }
}

}  // namespace tombolo::cli
