// tombolo remote add | update | list | test
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

constexpr Duration kTestBesides = std::chrono::minutes(10);  // what a test takes besides measuring, its tries included
constexpr std::uint64_t kTestMax = 600;                      // seconds; the server refuses more

struct Credential {
  const char *variable, *member;
};
constexpr Credential kCredentials[] = {{"TOMBOLO_REMOTE_KEY", "key"}, {"TOMBOLO_REMOTE_SAS", "sas"}};

// Empty when it is not set.
std::string set_in_environment(const Credential& credential) {
  const char* secret = std::getenv(credential.variable);
  return secret == nullptr ? "" : secret;
}

// Secrets come through the environment: arguments are seen by everybody on the machine.
nlohmann::json with_credentials(nlohmann::json body) {
  for (const Credential& one : kCredentials) {
    if (std::string secret = set_in_environment(one); !secret.empty()) body[one.member] = std::move(secret);
  }
  return body;
}

// What the options say of a remote.
nlohmann::json described(const Invocation& invocation) {
  nlohmann::json body = nlohmann::json::object();
  for (const auto& [option, member] :
       {std::pair("--kind", "kind"), std::pair("--endpoint", "endpoint"), std::pair("--bucket", "bucket"),
        std::pair("--prefix", "prefix"), std::pair("--remote-account", "account")}) {
    if (invocation.has(option)) body[member] = invocation.text(option);
  }
  // A directory is meant as seen from here; the server stands elsewhere.
  const std::string where = invocation.text("--endpoint");
  std::error_code bad;
  if (!where.empty() && where.find("://") == std::string::npos && invocation.text("--kind") != "azure") {
    body["endpoint"] = std::filesystem::absolute(where, bad).lexically_normal().string();
  }
  return body;
}

// A variable that is left over from another remote must not become this one's key.
Result<nlohmann::json> changes_of(const Invocation& invocation) {
  nlohmann::json body = described(invocation);
  const bool wanted = invocation.has("--credentials");
  const auto found = std::find_if(std::begin(kCredentials), std::end(kCredentials),
                                  [](const Credential& one) { return !set_in_environment(one).empty(); });
  if (wanted && found == std::end(kCredentials)) {
    return Error{Code::kInvalid,
                 "--credentials takes them from TOMBOLO_REMOTE_KEY or TOMBOLO_REMOTE_SAS, and neither is "
                 "set: set one in the environment"};
  }
  if (!wanted && found != std::end(kCredentials)) {
    return Error{Code::kInvalid, fmt::format("{0} is set, and without --credentials it is not used: pass --credentials "
                                             "to give the remote what it holds, or unset {0}",
                                             found->variable)};
  }
  if (wanted) body = with_credentials(std::move(body));
  if (body.empty()) {
    return Error{Code::kInvalid,
                 "nothing to change: pass --endpoint, --bucket, --prefix or --remote-account, or --credentials with "
                 "TOMBOLO_REMOTE_KEY or TOMBOLO_REMOTE_SAS set"};
  }
  return body;
}

void print_done(const Invocation& invocation, const nlohmann::json& answer, const char* done) {
  if (invocation.json()) return print_json(answer);
  const std::string name = answer.at("name");
  std::vector<std::vector<std::string>> rows = {{done, name}};
  if (const auto credential = answer.find("credential"); credential != answer.end()) {
    rows.push_back({"credential", *credential});
  }
  rows.push_back({"next", fmt::format("tombolo remote test {}", name)});
  print_table(rows);
}

std::string latencies(const nlohmann::json& times) {
  if (times.at("samples") == 0) return "not measured: give it more --seconds";
  return fmt::format("p50 {:.1f} ms, p95 {:.1f} ms, p99 {:.1f} ms ({} reads)", times.at("p50_ms").get<double>(),
                     times.at("p95_ms").get<double>(), times.at("p99_ms").get<double>(),
                     times.at("samples").get<std::uint64_t>());
}

std::string clock_words(const nlohmann::json& skew) {
  if (skew.is_null()) return "none of its own";
  const double seconds = skew;
  if (std::abs(seconds) < 1.5) return "as this machine's, to about a second";
  return fmt::format("{:.0f} s {} this machine's; Shared Key stands 900 s at most", std::abs(seconds),
                     seconds > 0 ? "ahead of" : "behind");
}

void print_measured(const nlohmann::json& answer) {
  const auto& m = answer.at("measured");
  if (m.is_null()) return;
  const auto rate = [&m](const char* member) { return fmt::format("{:.1f} MB/s", m.at(member).get<double>() / 1e6); };
  std::fputs("\n", stdout);
  print_table(
      {{"first byte", latencies(m.at("first_byte"))},
       {human_bytes(m.at("range_bytes")) + " range", latencies(m.at("range"))},
       {"put", fmt::format("{}, one stream of {}", rate("put_bytes_per_second"), human_bytes(m.at("object_bytes")))},
       {"get", fmt::format("{}, one stream", rate("get_bytes_per_second"))},
       {"clock", clock_words(answer.at("clock_skew_seconds"))}});
}

void print_cost(const nlohmann::json& answer) {
  const auto& cost = answer.at("cost");
  const auto& classes = cost.at("classes");
  const auto& m = answer.at("measured");
  const double wait = m.is_null() ? 0 : m.at("first_byte").at("p50_ms").get<double>();
  std::fputs(fmt::format("\nA cold read waits about {:.1f} ms for its first byte{}\n", wait,
                         classes.empty() ? " and costs nothing." : " and costs, by the container's access tier:")
                 .c_str(),
             stdout);
  if (classes.empty()) return;
  const auto dollars = [](const nlohmann::json& amount) { return fmt::format("${:.2f}", amount.get<double>()); };
  std::vector<std::vector<std::string>> rows = {
      {"TIER", "1M READS", "PER GB", fmt::format("1M READS OF {}", human_bytes(cost.at("read_bytes"))), "1M WRITES"}};
  for (const auto& one : classes) {
    rows.push_back({one.at("class"), dollars(one.at("per_million_reads")), dollars(one.at("per_gb_retrieved")),
                    dollars(one.at("million_cold_reads")), dollars(one.at("per_million_writes"))});
  }
  print_table(rows);
  std::fputs(fmt::format("({}; docs/remotes.md)\n", cost.at("source").get<std::string>()).c_str(), stdout);
}

}  // namespace

Result<int> remote_add(const Invocation& invocation, Connection& connection) {
  nlohmann::json body = with_credentials(described(invocation));
  body["name"] = invocation.text("NAME");
  TRY_ASSIGN(const auto made, connection.post("remotes", body));
  print_done(invocation, made, "added");
  return 0;
}

Result<int> remote_update(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto body, changes_of(invocation));
  TRY_ASSIGN(const auto made, connection.patch("remotes/" + percent_encode(invocation.text("NAME")), body));
  print_done(invocation, made, "updated");
  return 0;
}

Result<int> remote_list(const Invocation& invocation, Connection& connection) {
  TRY_ASSIGN(const auto answer, connection.get("remotes"));
  if (invocation.json()) {
    print_json(answer);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"REMOTE", "KIND", "WHERE", "HEALTH"}};
  for (const auto& remote : answer.at("remotes")) {
    std::string where = remote.at("endpoint");
    if (const std::string bucket = remote.at("bucket"); !bucket.empty()) where += "/" + bucket;
    if (const std::string prefix = remote.at("prefix"); !prefix.empty()) where += "/" + prefix;
    const bool healthy = remote.at("healthy");
    rows.push_back(
        {remote.at("name"), remote.at("kind"), where, healthy ? "ok" : remote.at("problem").get<std::string>()});
  }
  print_table(rows);
  return 0;
}

Result<int> remote_test(const Invocation& invocation, Connection& connection) {
  connection.wait_for_answers(kTestBesides + std::chrono::seconds(std::min(kTestMax, invocation.number("--seconds"))));
  const nlohmann::json limits = {{"bytes", invocation.number("--bytes")}, {"seconds", invocation.number("--seconds")}};
  TRY_ASSIGN(const auto answer,
             connection.post("remotes/" + percent_encode(invocation.text("NAME")) + "/test", limits));
  const bool ok = answer.at("ok");
  if (invocation.json()) {
    print_json(answer);
    return ok ? 0 : 1;
  }
  std::vector<std::vector<std::string>> rows = {{"CHECKS", "STEP", "TIME", "RESULT"}};
  for (const auto& step : answer.at("steps")) {
    rows.push_back({step.at("checks"), step.at("what"), fmt::format("{:.1f} ms", step.at("milliseconds").get<double>()),
                    step.at("ok").get<bool>() ? "ok" : "FAILED: " + step.at("problem").get<std::string>()});
  }
  print_table(rows);
  print_measured(answer);
  if (ok && !answer.at("measured").is_null()) {
    print_cost(answer);
  } else if (!ok) {
    const std::string problem = answer.at("measure_problem");
    std::fputs(fmt::format("\nNot usable as it is{}. Mend what FAILED, then run this again.\n",
                           problem.empty() ? "" : ": " + problem)
                   .c_str(),
               stdout);
  }
  return ok ? 0 : 1;
}

}  // namespace tombolo::cli
