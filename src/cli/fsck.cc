// tombolo fsck
#include <fmt/format.h>

#include "base/random.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace tombolo::cli {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(500);
constexpr Duration kFsckMax = std::chrono::hours(24);  // it answers when it has looked at everything

std::uint64_t number(const nlohmann::json& report, const char* name) {
  return report.at(name).get<std::uint64_t>();
}

std::string progress_of(const nlohmann::json& counts) {
  std::string text = fmt::format("fsck  {} objects, {} gens, {} verified", number(counts, "objects"),
                                 number(counts, "gens"), human_bytes(counts.at("bytes_verified").get<double>()));
  if (const auto remote = number(counts, "remote_objects"); remote > 0) text += fmt::format(", {} in remotes", remote);
  if (const auto total = number(counts, "findings_total"); total > 0) text += fmt::format(", {} findings", total);
  if (const auto total = number(counts, "repairs_total"); total > 0) text += fmt::format(", {} repaired", total);
  return text;
}

// The exit status. After the report: whoever reads an error at its end knows what was done before.
int end(const nlohmann::json& report) {
  if (const auto why = report.find("not_recorded"); why != report.end()) {
    return fail({Code::kUnavailable, "this is not in the audit log: " + why->get<std::string>()});
  }
  return number(report, "findings_total") == 0 ? 0 : 1;
}

int print(const Invocation& invocation, const nlohmann::json& report) {
  const std::uint64_t total = number(report, "findings_total");
  if (invocation.json()) {
    print_json(report);
    return end(report);
  }
  std::vector<std::vector<std::string>> rows = {{"objects", std::to_string(number(report, "objects"))},
                                                {"gens", std::to_string(number(report, "gens"))},
                                                {"runs", std::to_string(number(report, "runs"))},
                                                {"segments", std::to_string(number(report, "segments"))},
                                                {"remote objects", std::to_string(number(report, "remote_objects"))},
                                                {"verified", human_bytes(report.at("bytes_verified").get<double>())},
                                                {"findings", std::to_string(total)}};
  if (invocation.has("--repair")) {
    rows.insert(rows.end() - 1, {"repaired", std::to_string(number(report, "repairs_total"))});
  }
  const auto& left = report.at("not_searched");
  if (!left.empty()) {
    std::string names;
    for (const auto& name : left) names += (names.empty() ? "" : ", ") + name.get<std::string>();
    rows.push_back(
        {"not searched", names + " (not to be reached, or with too many objects that tombolo did not write)"});
  }
  print_table(rows);
  const auto tell = [](const char* before, const nlohmann::json& thing, const char* then) {
    const auto text = [&thing](const char* member) { return printable(thing.at(member).get<std::string>()); };
    std::fputs(fmt::format("{}{}: {}\n    {}\n", before, text("kind"), text("what"), text(then)).c_str(), stdout);
  };
  for (const auto& repair : report.at("repairs")) tell("repaired ", repair, "did");
  for (const auto& finding : report.at("findings")) tell("", finding, "advice");
  return end(report);
}

}  // namespace

int fsck(const Invocation& invocation) {
  const auto arguments = serve_arguments(invocation);
  if (!arguments.ok()) return fail_usage(arguments.error().message);
  Target target = invocation.target();
  if (target.data.empty() && invocation.has("--config")) {
    auto data = invocation.programs().data_of_config(arguments->config_file);
    if (!data.ok()) return fail(data.error());
    target.data = *std::move(data);
  }
  auto connection = Connection::open(target);
  if (!connection.ok()) return fail(connection.error());
  connection->wait_for_answers(kFsckMax);
  nlohmann::json asked = {{"depth", invocation.text("--depth")}};
  if (invocation.has("--repair")) asked["repair"] = true;
  SystemClock clock;
  SystemRandom random;
  ProgressLine progress(ProgressLine::style_here(invocation.json(), ProgressLine::Elsewhere::kLines), clock);
  const auto show = [&progress](const nlohmann::json& counts) { progress.show(progress_of(counts)); };
  const std::string name = random.hex(16);
  nlohmann::json watched = asked;
  watched["name"] = name;
  auto report = connection->post("fsck", watched, {"fsck/" + name, kLookEvery, show});
  // Nobody is there: the directory is checked from here, if nobody holds it.
  const bool named = invocation.has("--data") || invocation.has("--config");
  const bool stopped = !report.ok() && report.error().detail == kNoServer && named;
  if (stopped) report = invocation.programs().fsck_stopped(*arguments, asked, show);
  progress.finish();
  return report.ok() ? print(invocation, *report) : fail(report.error());
}

}  // namespace tombolo::cli
