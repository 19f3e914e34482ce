// tombolo_model: runs random sequences against the model, or one trace, or strikes each call of the core.
//
//   tombolo_model --seed 1 --sequences 20000 [--seconds 300] [--engine memory|rocks|mixed] [--json FILE]
//   tombolo_model --replay FILE [--seed N] [--engine memory|rocks]
//   tombolo_model --sites [--seconds 60] [--json FILE]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/clock.h"
#include "base/log.h"
#include "testing/model/driver.h"
#include "testing/model/generate.h"
#include "testing/model/shrink.h"
#include "testing/model/sites_table.h"

namespace tombolo::testing::model {
namespace {

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t sequences = 1'000;
  double seconds = 0;
  std::string engine = "memory";
  std::string replay, json;
  bool until_violation = false, narrate = false, verify_hash = false, sites = false;
  int shrink_runs = 2'000;
};

constexpr std::uint64_t kRocksEvery = 16;  // of mixed sequences, one in so many is with RocksDB

struct Summary {
  std::uint64_t sequences = 0, rocks = 0, violations = 0, unstable = 0;
  SequenceStats stats;
  std::vector<std::uint64_t> failed_seeds;
};

EngineKind engine_of(const std::string& word, std::uint64_t seed) {
  if (word == "rocks") return EngineKind::kRocks;
  if (word == "mixed" && seed % kRocksEvery == 0) return EngineKind::kRocks;
  return EngineKind::kMemory;
}

std::string_view word_of(EngineKind engine) {
  return engine == EngineKind::kRocks ? "rocks" : "memory";
}

void show_failure(const SequenceOptions& options, const std::vector<Operation>& operations, const Violation& violation,
                  const Arguments& arguments) {
  fmt::print("seed {} ({}): operation {}: {}\n", options.seed, word_of(options.engine), violation.operation,
             violation.what);
  std::fflush(stdout);
  const auto shrunk = shrink(options, operations, arguments.shrink_runs);
  const auto again = run_sequence(options, shrunk);
  fmt::print("# {}\n# seed {} engine {}\n{}", again.violation ? again.violation->what : "does not fail when run again",
             options.seed, word_of(options.engine), to_text(shrunk));
  std::fflush(stdout);
}

int replay(const Arguments& arguments) {
  std::ifstream in(arguments.replay);
  std::stringstream text;
  text << in.rdbuf();
  const auto operations = parse_trace(text.str());
  if (!in || !operations.ok()) {
    fmt::print(stderr, "{}: {}\n", arguments.replay, operations.ok() ? "cannot be read" : operations.error().message);
    return 2;
  }
  const SequenceOptions options{
      .engine = engine_of(arguments.engine, arguments.seed), .seed = arguments.seed, .narrate = true};
  const auto result = run_sequence(options, *operations);
  if (result.violation) fmt::print("operation {}: {}\n", result.violation->operation, result.violation->what);
  return result.violation ? 1 : 0;
}

void write_json(const Arguments& arguments, const Summary& summary, double seconds) {
  const SequenceStats& stats = summary.stats;
  const nlohmann::json out = {{"seed", arguments.seed},
                              {"sequences", summary.sequences},
                              {"sequences_rocks", summary.rocks},
                              {"operations", stats.operations},
                              {"crashes", stats.crashes},
                              {"nested_crashes", stats.nested_crashes},
                              {"three_deep", stats.three_deep},
                              {"deaths_scheduled", stats.armed},
                              {"deaths_reached", stats.reached},
                              {"faults", stats.faults},
                              {"acknowledged", stats.acknowledged},
                              {"refused", stats.refused},
                              {"failed", stats.failed},
                              {"unknown", stats.unknown},
                              {"violations", summary.violations},
                              {"unstable", summary.unstable},
                              {"failed_seeds", summary.failed_seeds},
                              {"seconds", seconds}};
  std::ofstream(arguments.json) << out.dump(1) << "\n";
}

int run_many(const Arguments& arguments) {
  SystemClock clock;
  const SteadyTime start = clock.steady();
  const auto elapsed = [&] { return std::chrono::duration<double>(clock.steady() - start).count(); };
  Summary summary;
  for (std::uint64_t n = 0; n < arguments.sequences; ++n) {
    if (arguments.seconds > 0 && elapsed() > arguments.seconds) break;
    const std::uint64_t seed = arguments.seed + n;
    const SequenceOptions options{
        .engine = engine_of(arguments.engine, seed), .seed = seed, .narrate = arguments.narrate};
    const auto operations = generate(seed);
    const auto result = run_sequence(options, operations);
    ++summary.sequences;
    summary.rocks += options.engine == EngineKind::kRocks;
    summary.stats += result.stats;
    if (arguments.verify_hash && options.engine == EngineKind::kMemory &&
        run_sequence(options, operations).trace_hash != result.trace_hash) {
      ++summary.unstable;
      fmt::print("seed {}: another trace the second time\n", seed);
    }
    if (!result.violation) continue;
    ++summary.violations;
    summary.failed_seeds.push_back(seed);
    show_failure(options, operations, *result.violation, arguments);
    if (arguments.until_violation) {
      fmt::print("caught after {} sequences\n", summary.sequences);
      break;
    }
  }
  const double seconds = elapsed();
  const SequenceStats& stats = summary.stats;
  fmt::print(
      "{} sequences ({} with RocksDB), {} operations, {} crashes ({} in recovery), {} of {} deaths reached, "
      "{} changes acknowledged, {} unknown, {} violations, {:.1f} s, {:.1f} sequences/s\n",
      summary.sequences, summary.rocks, stats.operations, stats.crashes, stats.nested_crashes, stats.reached,
      stats.armed, stats.acknowledged, stats.unknown, summary.violations, seconds,
      static_cast<double>(summary.sequences) / std::max(seconds, 1e-9));
  if (!arguments.json.empty()) write_json(arguments, summary, seconds);
  return summary.violations + summary.unstable == 0 ? 0 : 1;
}

int strike_sites(const Arguments& arguments) {
  SystemClock clock;
  const SteadyTime start = clock.steady();
  const auto elapsed = [&] { return std::chrono::duration<double>(clock.steady() - start).count(); };
  const SitesOptions options{.seed = arguments.seed, .enough = [&] { return elapsed() > arguments.seconds; }};
  const SitesReport report = run_sites(options);
  const double seconds = elapsed();
  for (const SitesFailure& failure : report.failures) {
    show_failure(failure.options, failure.operations, failure.violation, arguments);
  }
  for (const std::string& site : report.unlisted) fmt::print("not in the list of places: {}\n", site);
  for (const std::string& site : report.spared_gone) fmt::print("spared without need: {}\n", site);
  fmt::print("{}{:.1f} s\n", to_table(report), seconds);
  if (!arguments.json.empty()) std::ofstream(arguments.json) << to_json(report, seconds);
  const SitesTotals totals = totals_of(report);
  const bool whole = totals.sites > 0 && totals.crashed == totals.sites && totals.failed == totals.sites;
  return whole && report.failures.empty() && report.unlisted.empty() && report.spared_gone.empty() ? 0 : 1;
}

}  // namespace
}  // namespace tombolo::testing::model

int main(int argc, char** argv) {
  using namespace tombolo;
  using namespace tombolo::testing::model;
  Arguments arguments;
  CLI::App app("Random sequences of operations, crashes and faults against the model");
  app.add_option("--seed", arguments.seed, "of the first sequence; the others count up");
  app.add_option("--sequences", arguments.sequences);
  app.add_option("--seconds", arguments.seconds, "no new sequence after that time");
  app.add_option("--engine", arguments.engine)->check(CLI::IsMember({"memory", "rocks", "mixed"}));
  app.add_option("--replay", arguments.replay, "a file of operations, one a line");
  app.add_option("--json", arguments.json, "where to write the sums");
  app.add_option("--shrink-runs", arguments.shrink_runs);
  app.add_flag("--until-violation", arguments.until_violation, "stop at the first one");
  app.add_flag("--narrate", arguments.narrate, "each operation, on standard error");
  app.add_flag("--verify-hash", arguments.verify_hash, "run each sequence twice and compare their traces");
  app.add_flag("--sites", arguments.sites, "each call of the core to Disk and Remote dies and fails, for --seconds");
  CLI11_PARSE(app, argc, argv);
  set_log_level(arguments.replay.empty() && !arguments.narrate ? LogLevel::kNone : LogLevel::kWarn);
  if (arguments.sites) return strike_sites(arguments);
  return arguments.replay.empty() ? run_many(arguments) : replay(arguments);
}
