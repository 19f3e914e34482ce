// tombolo fsck
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

int print(const Invocation& invocation, const nlohmann::json& report) {
  const std::uint64_t total = report.at("findings_total");
  if (invocation.json()) {
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

int fsck(const Invocation& invocation) {
  auto connection = Connection::open(invocation.target());
  if (!connection.ok()) return fail(connection.error());
  const std::string depth = invocation.text("--depth");
  auto report = connection->post("fsck", {{"depth", depth}});
  if (report.ok()) return print(invocation, *report);
  // Nobody answers: the directory is checked from here, if nobody holds it.
  const bool stopped = report.error().detail == kNoServer && invocation.has("--data");
  if (!stopped) return fail(report.error());
  return invocation.programs().fsck_stopped(invocation.text("--data"), depth, invocation.json());
}

}  // namespace tombolo::cli
