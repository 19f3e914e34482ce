// tombolo_linearize: histories of concurrent clients, each checked for linearizability.
//
//   tombolo_linearize --seed 1 --histories 600 [--seconds 60] [--engine memory|rocks|mixed] [--json FILE]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "testing/linearize/run.h"

namespace tombolo::testing::linearize {
namespace {

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t histories = 100;
  double seconds = 0;
  std::string engine = "memory", json;
  bool until_violation = false, narrate = false, verify_hash = false;
};

constexpr std::uint64_t kRocksEvery = 16;  // of mixed histories, one in so many is with RocksDB

struct Summary {
  std::uint64_t histories = 0, rocks = 0, unstable = 0;
  RunStats stats;
  std::vector<std::uint64_t> failed_seeds;
};

bool with_rocks(const std::string& engine, std::uint64_t seed) {
  return engine == "rocks" || (engine == "mixed" && seed % kRocksEvery == 0);
}

void write_json(const Arguments& arguments, const Summary& summary, double seconds) {
  const RunStats& stats = summary.stats;
  const nlohmann::json out = {{"seed", arguments.seed},
                              {"histories", summary.histories},
                              {"histories_rocks", summary.rocks},
                              {"operations", stats.operations},
                              {"steps", stats.steps},
                              {"acknowledged", stats.acknowledged},
                              {"refused", stats.refused},
                              {"unknown", stats.unknown},
                              {"reads", stats.reads},
                              {"busy", stats.busy},
                              {"crashes", stats.crashes},
                              {"crashes_under_way", stats.crashes_under_way},
                              {"restarts", stats.restarts},
                              {"jobs", stats.jobs},
                              {"jobs_failed", stats.jobs_failed},
                              {"objects_moved", stats.objects_moved},
                              {"passes", stats.passes},
                              {"violations", summary.failed_seeds.size()},
                              {"unstable", summary.unstable},
                              {"failed_seeds", summary.failed_seeds},
                              {"seconds", seconds}};
  std::ofstream(arguments.json) << out.dump(1) << "\n";
}

/// False: a violation, and it is told.
bool run_one(const Arguments& arguments, std::uint64_t seed, Summary& summary) {
  const bool rocks = with_rocks(arguments.engine, seed);
  const RunOptions options{.engine = rocks ? model::EngineKind::kRocks : model::EngineKind::kMemory,
                           .seed = seed,
                           .narrate = arguments.narrate};
  const RunResult result = run_history(options);
  ++summary.histories;
  summary.rocks += rocks;
  summary.stats += result.stats;
  if (arguments.verify_hash && !rocks && run_history(options).trace_hash != result.trace_hash) {
    ++summary.unstable;
    fmt::print("seed {}: another trace the second time\n", seed);
  }
  if (!result.violation) return true;
  summary.failed_seeds.push_back(seed);
  fmt::print("seed {} ({}): {}\n", seed, rocks ? "rocks" : "memory", *result.violation);
  std::fflush(stdout);
  return false;
}

int run_many(const Arguments& arguments) {
  SystemClock clock;
  const SteadyTime start = clock.steady();
  const auto elapsed = [&] { return std::chrono::duration<double>(clock.steady() - start).count(); };
  Summary summary;
  for (std::uint64_t n = 0; n < arguments.histories; ++n) {
    if (arguments.seconds > 0 && elapsed() > arguments.seconds) break;
    if (run_one(arguments, arguments.seed + n, summary) || !arguments.until_violation) continue;
    fmt::print("caught after {} histories\n", summary.histories);
    break;
  }
  const double seconds = elapsed();
  const RunStats& stats = summary.stats;
  fmt::print(
      "{} histories ({} with RocksDB), {} operations, {} steps ({} acknowledged, {} refused, {} unknown, {} reads), "
      "{} busy, {} crashes ({} under way), {} restarts, {} jobs ({} failed), {} passes, {} violations, {:.1f} s, "
      "{:.0f} "
      "operations/s\n",
      summary.histories, summary.rocks, stats.operations, stats.steps, stats.acknowledged, stats.refused, stats.unknown,
      stats.reads, stats.busy, stats.crashes, stats.crashes_under_way, stats.restarts, stats.jobs, stats.jobs_failed,
      stats.passes, summary.failed_seeds.size(), seconds,
      static_cast<double>(stats.operations) / std::max(seconds, 1e-9));
  if (!arguments.json.empty()) write_json(arguments, summary, seconds);
  return summary.failed_seeds.empty() && summary.unstable == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tombolo::testing::linearize

int main(int argc, char** argv) {
  using namespace tombolo;
  using namespace tombolo::testing::linearize;
  Arguments arguments;
  CLI::App app("Histories of concurrent clients, with upkeep and crashes, checked for linearizability");
  app.add_option("--seed", arguments.seed, "of the first history; the others count up");
  app.add_option("--histories", arguments.histories, "of about 400 operations each");
  app.add_option("--seconds", arguments.seconds, "no new history after that time");
  app.add_option("--engine", arguments.engine)->check(CLI::IsMember({"memory", "rocks", "mixed"}));
  app.add_option("--json", arguments.json, "where to write the sums");
  app.add_flag("--until-violation", arguments.until_violation, "stop at the first one");
  app.add_flag("--narrate", arguments.narrate, "each step, on standard error");
  app.add_flag("--verify-hash", arguments.verify_hash, "run each history twice and compare their traces");
  CLI11_PARSE(app, argc, argv);
  set_log_level(arguments.narrate ? LogLevel::kWarn : LogLevel::kNone);
  return run_many(arguments);
}
