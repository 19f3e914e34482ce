// One function for each command group: adds its subcommands to the parser. One file each.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

#include "cli/cli.h"
#include "cli/connection.h"

namespace tombolo::cli {

/// What the parser fills and the chosen command reads.
struct Session {
  Target target;
  bool json = false;
  std::string account;          // --account; empty = the only one there is
  std::function<int()> action;  // set by the subcommand that was chosen
};

/// The account named, or the only one of the server. kInvalid when there are several or none.
Result<std::string> chosen_account(const Session& session, Connection& connection);
/// "CONTAINER[/PREFIX]" split at the first slash.
std::pair<std::string, std::string> split_target(const std::string& text);

/// Opens the connection and runs `body`; prints what fails.
int with_connection(const Session& session, const std::function<Result<int>(Connection&)>& body);

void add_account_commands(CLI::App& app, Session& session);
void add_container_commands(CLI::App& app, Session& session);
void add_sas_command(CLI::App& app, Session& session);
void add_remote_commands(CLI::App& app, Session& session);
void add_job_commands(CLI::App& app, Session& session);  // offload, recall, jobs
void add_status_command(CLI::App& app, Session& session);
void add_fsck_command(CLI::App& app, Session& session, const Programs& programs);

}  // namespace tombolo::cli
