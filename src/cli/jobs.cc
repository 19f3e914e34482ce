// tombolo offload | recall | jobs
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(200);

// Follows a job to its end. The job goes on when this stops.
Result<int> follow(const Session& session, Connection& connection, nlohmann::json job) {
  SystemClock clock;
  ProgressLine progress(ProgressLine::style_here(session.json), clock);
  const std::string id = job.at("id");
  while (!job.at("ended").get<bool>()) {
    progress.show(job);
    std::this_thread::sleep_for(kPoll);
    TRY_ASSIGN(job, connection.get("jobs/" + id));
  }
  progress.show(job);
  progress.finish();
  const std::string state = job.at("state");
  const auto& p = job.at("progress");
  const bool good = state == "done" && p.at("objects_failed").get<std::uint64_t>() == 0;
  if (session.json) {
    print_json(job);
  } else {
    print_table({{"job", id},
                 {"state", state},
                 {"objects", std::to_string(p.at("objects_done").get<std::uint64_t>())},
                 {"bytes", human_bytes(p.at("bytes_done").get<double>())},
                 {"skipped", std::to_string(p.at("objects_skipped").get<std::uint64_t>())},
                 {"failed", std::to_string(p.at("objects_failed").get<std::uint64_t>())}});
    if (const std::string error = job.at("error"); !error.empty()) {
      std::fputs(fmt::format("tombolo: {}\n", error).c_str(), stderr);
    }
  }
  return good ? 0 : 1;
}

struct MoveOptions {
  std::string target, remote, id;
  bool evict = false, detach = false;
};

Result<int> submit(const Session& session, Connection& connection, const char* kind, const MoveOptions& options) {
  TRY_ASSIGN(const std::string account, chosen_account(session, connection));
  const auto [container, prefix] = split_target(options.target);
  nlohmann::json body = {{"kind", kind}, {"account", account}, {"container", container}, {"prefix", prefix}};
  if (std::string_view(kind) == "offload") {
    body["remote"] = options.remote;
    body["evict"] = options.evict;
  }
  TRY_ASSIGN(auto job, connection.post("jobs", body));
  if (!options.detach) return follow(session, connection, std::move(job));
  if (session.json) {
    print_json(job);
  } else {
    print_table({{"job", job.at("id")}});
  }
  return 0;
}

Result<int> list(const Session& session, Connection& connection) {
  TRY_ASSIGN(const auto answer, connection.get("jobs"));
  if (session.json) {
    print_json(answer);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"JOB", "STATE", "OBJECTS", "BYTES", "FAILED", "WHAT"}};
  for (const auto& job : answer.at("jobs")) {
    const auto& p = job.at("progress");
    rows.push_back({job.at("id"), job.at("state"), std::to_string(p.at("objects_done").get<std::uint64_t>()),
                    human_bytes(p.at("bytes_done").get<double>()),
                    std::to_string(p.at("objects_failed").get<std::uint64_t>()), job.at("title")});
  }
  print_table(rows);
  return 0;
}

}  // namespace

void add_job_commands(CLI::App& app, Session& session) {
  auto options = std::make_shared<MoveOptions>();
  const auto on_submit = [&session, options](const char* kind) {
    return [&session, options, kind] {
      session.action = [&session, options, kind] {
        return with_connection(session,
                               [&](Connection& connection) { return submit(session, connection, kind, *options); });
      };
    };
  };
  const auto common = [&](CLI::App* command) {
    command->add_option("CONTAINER[/PREFIX]", options->target)->required();
    command->add_option("--account", session.account, "Account; may be left out when there is only one");
    command->add_flag("--detach", options->detach, "Print the job's id and return at once");
  };

  auto* offload = app.add_subcommand("offload", "Copy objects to a remote, as plain objects there");
  common(offload);
  offload->add_option("--to", options->remote, "Name of the remote")->required();
  offload->add_flag("--evict", options->evict, "Drop the local copy once the remote's has been verified");
  offload->callback(on_submit("offload"));

  auto* recall = app.add_subcommand("recall", "Bring the bytes of cold objects back to flash");
  common(recall);
  recall->callback(on_submit("recall"));

  auto* jobs = app.add_subcommand("jobs", "List jobs, follow one, or cancel one");
  jobs->add_option("--follow", options->id, "Show a job's progress until it ends");
  auto cancel = std::make_shared<std::string>();
  jobs->add_option("--cancel", *cancel, "Stop a job; what it has done stays");
  jobs->callback([&session, options, cancel] {
    session.action = [&session, options, cancel] {
      return with_connection(session, [&](Connection& connection) -> Result<int> {
        if (!cancel->empty()) {
          TRY(connection.remove("jobs/" + *cancel));
          TRY_ASSIGN(auto job, connection.get("jobs/" + *cancel));
          (void)follow(session, connection, std::move(job));
          return 0;
        }
        if (options->id.empty()) return list(session, connection);
        TRY_ASSIGN(auto job, connection.get("jobs/" + options->id));
        return follow(session, connection, std::move(job));
      });
    };
  });
}

}  // namespace tombolo::cli
