// What the commands do: the functions that the table names. One file for each first word.
#pragma once

#include <string>
#include <utility>

#include "cli/command.h"

namespace tombolo::cli {

/// The account named, or the only one of the server. kInvalid when there are several or none.
Result<std::string> chosen_account(const Invocation& invocation, Connection& connection);
/// "CONTAINER[/PREFIX]" split at the first slash; without one the second is empty. kInvalid when nothing stands before
/// or behind the slash: "$BOX/$NAME" with a variable that is not set must not mean more than was wanted.
Result<std::pair<std::string, std::string>> split_target(const std::string& text);

/// What the options of `serve` say of settings, or those of them that another command has. kInvalid: wrong usage.
Result<ServeArguments> serve_arguments(const Invocation& invocation);
int serve(const Invocation& invocation);
Result<int> account_create(const Invocation& invocation, Connection& connection);
Result<int> account_list(const Invocation& invocation, Connection& connection);
Result<int> account_keys(const Invocation& invocation, Connection& connection);
Result<int> container_create(const Invocation& invocation, Connection& connection);
Result<int> container_list(const Invocation& invocation, Connection& connection);
Result<int> container_delete(const Invocation& invocation, Connection& connection);
Result<int> sas(const Invocation& invocation, Connection& connection);
Result<int> remote_add(const Invocation& invocation, Connection& connection);
Result<int> remote_list(const Invocation& invocation, Connection& connection);
Result<int> remote_update(const Invocation& invocation, Connection& connection);
Result<int> remote_test(const Invocation& invocation, Connection& connection);
Result<int> offload(const Invocation& invocation, Connection& connection);
Result<int> recall(const Invocation& invocation, Connection& connection);
Result<int> jobs(const Invocation& invocation, Connection& connection);
Result<int> status(const Invocation& invocation, Connection& connection);
Result<int> tls_show(const Invocation& invocation, Connection& connection);
Result<int> tls_reload(const Invocation& invocation, Connection& connection);
int fsck(const Invocation& invocation);
int completion(const Invocation& invocation);
int help(const Invocation& invocation);

}  // namespace tombolo::cli
