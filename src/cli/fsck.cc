// tombolo fsck
#include <fmt/format.h>
#include <CLI/CLI.hpp>

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
  auto* command = app.add_subcommand(
      "fsck", "Check every row against bytes and remotes; with --data DIR also where no server runs");
  command
      ->add_option("--depth", *depth, "rows: rows and files; bytes: also every local byte; all: also every remote byte")
      ->capture_default_str()
      ->check(CLI::IsMember({"rows", "bytes", "all"}));
  command->callback([&session, &programs, depth] {
    session.action = [&session, &programs, depth] {
      auto connection = Connection::open(session.target);
      if (!connection.ok()) return fail(connection.error());
      auto report = connection->post("fsck", {{"depth", *depth}});
      if (report.ok()) return print(session, *report);
      // Nobody answers: the directory is checked from here, if nobody holds it.
      const bool stopped = report.error().code == Code::kUnavailable && !session.target.data.empty();
      return stopped ? programs.fsck_stopped(session.target.data, *depth, session.json) : fail(report.error());
    };
  });
}

}  // namespace tombolo::cli
