// tombolo status
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

std::string exposed(const nlohmann::json& counted) {
  if (counted.is_null()) return "not counted yet (observe.census_seconds)";
  const std::string size = human_bytes(counted.at("bytes").get<double>());
  if (counted.at("objects") == 0) return "0 B: everything is in a remote too";
  return fmt::format("{} on this machine only, the oldest for {}", size,
                     human_seconds(counted.at("oldest_seconds").get<double>()));
}

void print(const nlohmann::json& s) {
  const auto bytes = [&s](const char* member) { return human_bytes(s.at(member).get<double>()); };
  std::vector<std::vector<std::string>> rows = {
      {"tombolo", s.at("version")},
      {"up", human_seconds(s.at("uptime_seconds"))},
      {"durability", s.at("durability")},
      {"objects", fmt::format("{} ({})", s.at("objects").get<std::uint64_t>(), bytes("bytes"))},
      {"hot", fmt::format("{} on flash, {} in memory", bytes("bytes_local"), bytes("bytes_cached"))},
      {"cold", fmt::format("{} only in remotes", bytes("bytes_cold"))},
      {"exposed", exposed(s.at("exposed"))},
      {"disk", fmt::format("{} in segments, {} of commit log, {} free", bytes("segment_file_bytes"), bytes("log_bytes"),
                           bytes("disk_free_bytes"))},
      {"jobs", fmt::format("{} running", s.at("jobs_running").get<std::uint64_t>())}};
  for (const auto& remote : s.at("remotes")) {
    const bool healthy = remote.at("healthy");
    rows.push_back(
        {"remote " + remote.at("name").get<std::string>(), healthy ? "ok" : remote.at("problem").get<std::string>()});
  }
  if (const std::string reason = s.at("stopped_reason"); !reason.empty()) {
    rows.push_back({"STOPPED", "writes are refused: " + reason});
  }
  print_table(rows);
}

}  // namespace

Result<int> status(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto answer, connection.get("status"));
  if (invocation.json()) {
    print_json(answer);
  } else {
    print(answer);
  }
  return 0;
}

}  // namespace tombolo::cli
