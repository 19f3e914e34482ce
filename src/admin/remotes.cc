// remotes: POST adds one, GET lists them with their health; remotes/NAME: PATCH; remotes/NAME/test: POST.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "admin/handler.h"
#include "remote/prices.h"

namespace tombolo::admin {
namespace {

constexpr std::uint64_t kTestBytesMax = 1024ull * 1024 * 1024, kTestSecondsMax = 600;
constexpr std::uint64_t kReadsShown = 1'000'000;

NewRemote parse(const nlohmann::json& body) {
  NewRemote made;
  made.name = text_of(body, "name");
  made.kind = text_of(body, "kind");
  made.endpoint = text_of(body, "endpoint");
  made.bucket = text_of(body, "bucket");
  made.prefix = text_of(body, "prefix");
  made.account = text_of(body, "account");
  made.key = text_of(body, "key");
  made.sas = text_of(body, "sas");
  return made;
}

double milliseconds(Duration time) {
  return static_cast<double>(time.count()) / 1000;
}

nlohmann::json view(const remote::Percentiles& times) {
  return {{"samples", times.samples},
          {"p50_ms", milliseconds(times.p50)},
          {"p95_ms", milliseconds(times.p95)},
          {"p99_ms", milliseconds(times.p99)}};
}

nlohmann::json view(const remote::Measured& measured) {
  return {{"first_byte", view(measured.first_byte)},
          {"range", view(measured.range)},
          {"range_bytes", remote::kRangeBytes},
          {"put_bytes_per_second", measured.put_bytes_per_second},
          {"get_bytes_per_second", measured.get_bytes_per_second},
          {"object_bytes", measured.object_bytes},
          {"bytes_sent", measured.bytes_sent},
          {"bytes_received", measured.bytes_received},
          {"seconds", static_cast<double>(measured.took.count()) / 1e6}};
}

// Of everything that was tried of one kind: "ok", the first problem, or "not tried".
std::string outcome(const std::vector<remote::ProbeStep>& steps, remote::Checked checked) {
  std::string told = "not tried";
  for (const remote::ProbeStep& step : steps) {
    if (step.checked != checked) continue;
    if (!step.ok) return step.problem;
    told = "ok";
  }
  return told;
}

nlohmann::json cost(const RemoteTestReport& report) {
  nlohmann::json classes = nlohmann::json::array();
  for (const remote::PriceClass& price : remote::prices_of(report.kind)) {
    classes.push_back({{"class", price.name},
                       {"per_million_reads", price.per_million_reads},
                       {"per_million_writes", price.per_million_writes},
                       {"per_gb_retrieved", price.per_gb_retrieved},
                       {"per_gb_month", price.per_gb_month},
                       {"days_min", price.days_min},
                       {"million_cold_reads", remote::cost_of_reads(price, kReadsShown, remote::kRangeBytes)}});
  }
  nlohmann::json told = {{"currency", "USD"}, {"read_bytes", remote::kRangeBytes}, {"classes", classes}};
  told["source"] = classes.empty() ? "reading from a remote of this kind has no price" : remote::kPriceSource;
  return told;
}

nlohmann::json view(const RemoteTestReport& report) {
  nlohmann::json steps = nlohmann::json::array(), checks = nlohmann::json::object();
  bool ok = report.measure_problem.empty();
  for (const remote::ProbeStep& step : report.steps) {
    ok = ok && step.ok;
    steps.push_back({{"what", step.what},
                     {"checks", remote::name_of(step.checked)},
                     {"ok", step.ok},
                     {"milliseconds", milliseconds(step.took)},
                     {"problem", step.problem}});
  }
  for (const remote::Checked checked : remote::kAllChecked) {
    checks[std::string(remote::name_of(checked))] = outcome(report.steps, checked);
  }
  nlohmann::json told = {{"ok", ok}, {"steps", steps}, {"checks", checks}, {"cost", cost(report)}};
  told["measured"] = report.measured ? view(*report.measured) : nlohmann::json();
  told["measure_problem"] = report.measure_problem;
  told["clock_skew_seconds"] =
      report.clock_skew ? nlohmann::json(static_cast<double>(report.clock_skew->count()) / 1e6) : nlohmann::json();
  return told;
}

Result<RemoteTestLimits> parse_limits(const nlohmann::json& body) {
  RemoteTestLimits limits;
  const auto number = [&body](const char* member, std::uint64_t max, std::uint64_t& into) -> Result<void> {
    const auto value = number_of(body, member, into);
    if (!value.ok() || *value > max) {
      return Error{Code::kInvalid, fmt::format("\"{}\" must be a whole number of at most {}", member, max)};
    }
    into = *value;
    return {};
  };
  TRY(number("bytes", kTestBytesMax, limits.bytes));
  TRY(number("seconds", kTestSecondsMax, limits.seconds));
  return limits;
}

}  // namespace

Task<Reply> remotes_resource(Context& context, Call call) {
  if (call.path.size() == 1 && call.method == "POST") {
    CO_CHECK_ASSIGN(const auto body, parse_object(call.body, {"name", "kind", "endpoint"},
                                                  {"bucket", "prefix", "account", "key", "sas"}));
    NewRemote made = parse(body);
    const std::string name = made.name;
    CO_TRY(context.control.add_remote(std::move(made)));
    co_return json_reply(201, {{"name", name}});
  }
  if (call.path.size() == 1 && call.method == "GET") {
    CO_TRY_ASSIGN(const auto views, context.control.remotes());
    nlohmann::json list = nlohmann::json::array();
    for (const RemoteView& view : views) {
      list.push_back({{"name", view.name},
                      {"kind", view.kind},
                      {"endpoint", view.endpoint},
                      {"bucket", view.bucket},
                      {"prefix", view.prefix},
                      {"healthy", view.healthy},
                      {"problem", view.problem}});
    }
    co_return json_reply(200, {{"remotes", list}});
  }
  if (call.path.size() == 2 && call.method == "PATCH") {
    CO_CHECK_ASSIGN(const auto body,
                    parse_object(call.body, {}, {"endpoint", "bucket", "prefix", "account", "key", "sas"}));
    NewRemote changes = parse(body);
    changes.name = call.path[1];
    const bool replaced = !changes.key.empty() || !changes.sas.empty();
    CO_TRY(context.control.update_remote(std::move(changes)));
    co_return json_reply(200, {{"name", call.path[1]}, {"credential", replaced ? "replaced" : "kept"}});
  }
  if (call.path.size() == 3 && call.path[2] == "test" && call.method == "POST") {
    CO_CHECK_ASSIGN(const auto body, parse_object(call.body, {}, {}, {"bytes", "seconds"}));
    CO_CHECK_ASSIGN(const RemoteTestLimits limits, parse_limits(body));
    CO_TRY_ASSIGN(const RemoteTestReport report, context.control.test_remote(call.path[1], limits));
    co_return json_reply(200, view(report));
  }
  co_return Error{Code::kNotFound, "remotes: POST or GET; remotes/NAME: PATCH; remotes/NAME/test: POST"};
}

}  // namespace tombolo::admin
