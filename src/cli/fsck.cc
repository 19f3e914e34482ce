// tombolo fsck
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

int print(const Session& session, const nlohmann::json& report) {
  const std::uint64_t total = report.at("findings_total");
  if (session.json) {
    print_json(report);
    return total == 0 ? 0 : 1;
  }
  print_table({{"objects", std::to_string(report.at("objects").get<std::uint64_t>())},
               {"gens", std::to_string(report.at("gens").get<std::uint64_t>())},
               {"runs", std::to_string(report.at("runs").get<std::uint64_t>())},
               {"segments", std::to_string(report.at("segments").get<std::uint64_t>())},
               {"remote objects", std::to_string(report.at("remote_objects").get<std::uint64_t>())},
               {"verified", human_bytes(report.at("bytes_verified").get<double>())},
               {"findings", std::to_string(total)}});
  for (const auto& finding : report.at("findings")) {
    std::fputs(fmt::format("{}: {}\n    {}\n", finding.at("kind").get<std::string>(),
                           finding.at("what").get<std::string>(), finding.at("advice").get<std::string>())
                   .c_str(),
               stdout);
  }
  return total == 0 ? 0 : 1;
}

}  // namespace

void add_fsck_command(CLI::App& app, Session& session, const Programs& programs) {
  auto depth = std::make_shared<std::string>("bytes");
  auto stopped = std::make_shared<std::string>();
  auto* command = app.add_subcommand("fsck", "Check every row against bytes and remotes; finds orphans");
  command
      ->add_option("--depth", *depth, "rows: rows and files; bytes: also every local byte; all: also every remote byte")
      ->capture_default_str()
      ->check(CLI::IsMember({"rows", "bytes", "all"}));
  command->add_option("--stopped", *stopped, "Check this data directory while no server runs on it")->type_name("DIR");
  command->callback([&session, &programs, depth, stopped] {
    session.action = [&session, &programs, depth, stopped] {
      if (!stopped->empty()) return programs.fsck_stopped(*stopped, *depth, session.json);
      return with_connection(session, [&](Connection& connection) -> Result<int> {
        TRY_ASSIGN(const auto report, connection.post("fsck", {{"depth", *depth}}));
        return print(session, report);
      });
    };
  });
}

}  // namespace tombolo::cli
