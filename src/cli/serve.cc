// tombolo serve, as far as the command line goes.
#include <cstdio>

#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {

int serve(const Invocation& invocation) {
  const Programs& programs = invocation.programs();
  if (invocation.has("--help-settings")) {
    std::fputs(programs.settings_page().c_str(), stdout);
    return 0;
  }
  ServeArguments arguments;
  arguments.config_file = invocation.text("--config");
  for (const std::string& text : invocation.all("--set")) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return fail_usage("--set \"" + text + "\" is not KEY=VALUE; `tombolo serve --help-settings` lists the keys");
    }
    arguments.settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  for (const auto& [option, key] : {std::pair("--data", "server.data"), std::pair("--listen", "server.listen"),
                                    std::pair("--admin-listen", "server.admin_listen")}) {
    if (invocation.has(option)) arguments.settings.emplace_back(key, invocation.text(option));
  }
  if (invocation.has("--dev")) arguments.settings.emplace_back("server.dev", "true");
  return programs.serve(arguments);
}

}  // namespace tombolo::cli
