// tombolo: one binary. Wires the command line to the server.
#include "cli/cli.h"
#include "server/serve.h"
#include "server/settings.h"

int main(int argc, char** argv) {
  using namespace tombolo;
  cli::Programs programs;
  programs.version = std::string("tombolo ") + server::kVersion + " (" + server::kRevision + ")";
  programs.serve = [](const cli::ServeArguments& arguments) {
    return server::serve({arguments.config_file, arguments.settings});
  };
  programs.fsck_stopped = [](const cli::ServeArguments& arguments, const auto& asked, const auto& progress) {
    return server::fsck_stopped({arguments.config_file, arguments.settings}, asked, progress);
  };
  programs.data_of_config = server::data_of_config;
  programs.settings_page = server::settings_page;
  return cli::run(argc, argv, programs);
}
