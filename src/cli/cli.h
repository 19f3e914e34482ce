// The command line: parses it, and runs the command.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tombolo::cli {

struct ServeArguments {
  std::string config_file;                                    // --config; empty: none
  std::vector<std::pair<std::string, std::string>> settings;  // key, text: --data, --listen, --dev, --set KEY=VALUE
};

/// Of the server that the package runs.
inline constexpr std::string_view kInstalledConfig = "/etc/tombolo/tombolo.toml";

/// What the command line starts but does not contain; main.cc connects it to server/.
struct Programs {
  std::function<int(const ServeArguments&)> serve;
  /// fsck of a stopped cell: how it is served, what to ask (as of the admin API, and so is the answer), who is shown
  /// the counts now and then.
  std::function<Result<nlohmann::json>(const ServeArguments&, const nlohmann::json&,
                                       const std::function<void(const nlohmann::json&)>&)>
      fsck_stopped;
  /// server.data of a configuration file.
  std::function<Result<std::string>(const std::string&)> data_of_config;
  /// The page of all settings, for --help-settings.
  std::function<std::string()> settings_page;
  std::string version;
};

/// The process' exit status, as exit_statuses() in cli/command.h tells.
int run(int argc, const char* const* argv, const Programs& programs);

}  // namespace tombolo::cli
