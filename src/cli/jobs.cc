// tombolo offload | recall | jobs
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(200);
constexpr auto kAwayMax = std::chrono::minutes(1);  // longer than a restart takes

/// The job as the server shows it. A server that is away for a while, as it is in a restart, is waited for.
Result<nlohmann::json> look_at(Connection& connection, const std::string& id) {
  SystemClock clock;
  const SteadyTime begun = clock.steady();
  for (bool told = false;; told = true) {
    auto job = connection.get("jobs/" + percent_encode(id));
    if (job.ok() || (job.error().code != Code::kUnavailable && job.error().code != Code::kBusy)) return job;
    if (clock.steady() - begun > kAwayMax) {
      return Error{Code::kUnavailable,
                   fmt::format("{}. What becomes of the job: `tombolo jobs --follow {}`", job.error().message, id)};
    }
    if (!told) {
      std::fputs(
          "tombolo: the server is away; the job goes on when it is back, which is waited for, a minute at most\n",
          stderr);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

// Follows a job to its end. The job goes on when this stops.
Result<int> follow(const Invocation& invocation, Connection& connection, nlohmann::json job) {
  SystemClock clock;
  ProgressLine progress(ProgressLine::style_here(invocation.json()), clock);
  const std::string id = job.at("id");
  while (!job.at("ended").get<bool>()) {
    progress.show(job);
    std::this_thread::sleep_for(kPoll);
    TRY_ASSIGN(job, look_at(connection, id));
  }
  progress.show(job);
  progress.finish();
  const std::string state = job.at("state");
  const auto& p = job.at("progress");
  const bool good = state == "done" && p.at("objects_failed").get<std::uint64_t>() == 0;
  if (invocation.json()) {
    print_json(job);
  } else {
    print_table({{"job", id},
                 {"state", state},
                 {"objects", std::to_string(p.at("objects_done").get<std::uint64_t>())},
                 {"bytes", human_bytes(p.at("bytes_done").get<double>())},
                 {"skipped", std::to_string(p.at("objects_skipped").get<std::uint64_t>())},
                 {"failed", std::to_string(p.at("objects_failed").get<std::uint64_t>())}});
    if (const std::string error = job.at("error"); !error.empty()) {
      std::fputs(fmt::format("tombolo: {}\n", printable(error)).c_str(), stderr);
    }
  }
  return good ? 0 : 1;
}

Result<int> submit(const Invocation& invocation, Connection& connection, const char* kind) {
  TRY_ASSIGN(const auto target, split_target(invocation.text("CONTAINER[/PREFIX]")));
  TRY_ASSIGN(const std::string account, chosen_account(invocation, connection));
  const auto& [container, prefix] = target;
  nlohmann::json body = {{"kind", kind}, {"account", account}, {"container", container}, {"prefix", prefix}};
  if (invocation.has("--to")) {
    body["remote"] = invocation.text("--to");
    body["evict"] = invocation.has("--evict");
  }
  TRY_ASSIGN(auto job, connection.post("jobs", body));
  if (!invocation.has("--detach")) return follow(invocation, connection, std::move(job));
  if (invocation.json()) {
    print_json(job);
  } else {
    print_table({{"job", job.at("id")}});
  }
  return 0;
}

Result<int> list(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto answer, connection.get("jobs"));
  if (invocation.json()) {
    print_json(answer);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"JOB", "STATE", "OBJECTS", "BYTES", "FAILED", "WHAT", "ERROR"}};
  for (const auto& job : answer.at("jobs")) {
    const auto& p = job.at("progress");
    rows.push_back({job.at("id"), job.at("state"), std::to_string(p.at("objects_done").get<std::uint64_t>()),
                    human_bytes(p.at("bytes_done").get<double>()),
                    std::to_string(p.at("objects_failed").get<std::uint64_t>()), job.at("title"), job.at("error")});
  }
  print_table(rows);
  return 0;
}

}  // namespace

Result<int> offload(const Invocation& invocation, Connection& connection) {
  return submit(invocation, connection, "offload");
}

Result<int> recall(const Invocation& invocation, Connection& connection) {
  return submit(invocation, connection, "recall");
}

Result<int> jobs(const Invocation& invocation, Connection& connection) {
  if (invocation.has("--cancel")) {
    const std::string id = invocation.text("--cancel");
    TRY(connection.remove("jobs/" + percent_encode(id)));
    TRY_ASSIGN(auto job, look_at(connection, id));
    TRY(follow(invocation, connection, std::move(job)));  // cancelled or done, that is what was asked for
    return 0;
  }
  if (!invocation.has("--follow")) return list(invocation, connection);
  TRY_ASSIGN(auto job, connection.get("jobs/" + percent_encode(invocation.text("--follow"))));
  return follow(invocation, connection, std::move(job));
}

}  // namespace tombolo::cli
