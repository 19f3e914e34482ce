// tombolo serve, as far as the command line goes.
#include <cstdio>

#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {

Result<ServeArguments> serve_arguments(const Invocation& invocation) {
  ServeArguments arguments;
  arguments.config_file = invocation.text("--config");
  for (const std::string& text : invocation.all("--set")) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return Error{Code::kInvalid,
                   "--set \"" + text + "\" is not KEY=VALUE; `tombolo serve --help-settings` lists the keys"};
    }
    arguments.settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  for (const auto& [option, key] : {std::pair("--data", "server.data"), std::pair("--listen", "server.listen"),
                                    std::pair("--admin-listen", "server.admin_listen")}) {
    if (invocation.has(option)) arguments.settings.emplace_back(key, invocation.text(option));
  }
  if (invocation.has("--dev")) arguments.settings.emplace_back("server.dev", "true");
  return arguments;
}

int serve(const Invocation& invocation) {
  const Programs& programs = invocation.programs();
  if (invocation.has("--help-settings")) {
    std::fputs(programs.settings_page().c_str(), stdout);
    return 0;
  }
  const auto arguments = serve_arguments(invocation);
  return arguments.ok() ? programs.serve(*arguments) : fail_usage(arguments.error().message);
}

}  // namespace tombolo::cli
