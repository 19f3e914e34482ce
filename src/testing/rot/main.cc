// tombolo_rot: flips bits of what living cells hold, one seed after another, and looks what comes of it.
//
//   tombolo_rot --seed 1 --flips 100000 [--tables 2000] [--cells 10] [--json FILE]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "testing/rot/rot.h"

namespace tombolo::testing::rot {
namespace {

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t flips = 10'000;
  std::uint64_t tables = 0;
  std::uint64_t cells = 10;  // with the index in memory; and as many fifths of it with RocksDB
  std::string json;
};

/// Parts in a thousand of all flips. Those in tables are asked for by themselves: each takes a start of RocksDB.
constexpr std::array<std::uint64_t, kAreas> kShares = {580, 60, 10, 230, 120, 0};
constexpr std::uint64_t kMemoryCellsPerRocks = 5;
constexpr std::uint64_t kRocksPart = 20;  // of the flips outside tables, one in so many is in cells with RocksDB

struct Failure {
  std::uint64_t seed;
  std::string what;
};

/// What of `flips` falls to cell `n` of `cells`.
std::uint64_t part_of(std::uint64_t flips, std::uint64_t n, std::uint64_t cells) {
  return flips * (n + 1) / cells - flips * n / cells;
}

Complaint rot_one(EngineKind engine, std::uint64_t seed, const Quota& quota, Tally& tally) {
  RotCell cell(engine, seed);
  if (const auto filled = cell.fill(); !filled.ok()) return "filling: " + to_string(filled.error());
  if (auto complaint = rot_in_use(cell, quota, tally)) return complaint;
  if (auto complaint = rot_in_log(cell, quota, tally)) return complaint;
  return engine == EngineKind::kRocks ? rot_in_tables(cell, quota, tally) : Complaint();
}

nlohmann::json to_json(const Count& count) {
  return {{"made", count.made}, {"detected", count.detected}, {"repaired", count.repaired}};
}

void write_json(const Arguments& arguments, const Tally& tally, const std::vector<Failure>& failures, double seconds) {
  nlohmann::json areas = nlohmann::json::object();
  Counts sum;
  for (std::size_t n = 0; n < kAreas; ++n) {
    const Counts& counts = tally.areas[n];
    areas[std::string(name_of(static_cast<Area>(n)))] = {{"flips", to_json(counts.flips)},
                                                         {"blocks", to_json(counts.blocks)}};
    sum.flips += counts.flips;
    sum.blocks += counts.blocks;
  }
  nlohmann::json failed = nlohmann::json::array();
  for (const Failure& failure : failures) failed.push_back({{"seed", failure.seed}, {"what", failure.what}});
  const nlohmann::json out = {{"seed", arguments.seed},        {"flips", to_json(sum.flips)},
                              {"blocks", to_json(sum.blocks)}, {"wrong_reads", tally.wrong_reads},
                              {"mended", tally.mended},        {"compacted_away", tally.compacted_away},
                              {"reads", tally.reads},          {"fsck_runs", tally.fsck_runs},
                              {"reopened", tally.reopened},    {"areas", areas},
                              {"violations", failed},          {"seconds", seconds}};
  std::ofstream(arguments.json) << out.dump(1) << "\n";
}

int run(const Arguments& arguments) {
  SystemClock clock;
  const SteadyTime start = clock.steady();
  const std::uint64_t rocks = std::max<std::uint64_t>(1, arguments.cells / kMemoryCellsPerRocks);
  Tally tally;
  std::vector<Failure> failures;
  for (std::uint64_t n = 0; n < arguments.cells + rocks; ++n) {
    const EngineKind engine = n < arguments.cells ? EngineKind::kMemory : EngineKind::kRocks;
    Quota quota;
    for (std::size_t area = 0; area < kAreas; ++area) {
      const bool is_tables = static_cast<Area>(area) == Area::kTable;
      const std::uint64_t all = is_tables ? arguments.tables : arguments.flips * kShares[area] / 1'000;
      const std::uint64_t with_rocks = is_tables ? all : all / kRocksPart;
      quota[area] = engine == EngineKind::kRocks ? part_of(with_rocks, n - arguments.cells, rocks)
                                                 : part_of(all - with_rocks, n, arguments.cells);
    }
    const std::uint64_t seed = arguments.seed + n;
    auto complaint = rot_one(engine, seed, quota, tally);
    if (!complaint) continue;
    fmt::print("seed {} ({}): {}\n", seed, engine == EngineKind::kRocks ? "rocks" : "memory", *complaint);
    failures.push_back({seed, *std::move(complaint)});
  }
  const double seconds = std::chrono::duration<double>(clock.steady() - start).count();
  for (std::size_t n = 0; n < kAreas; ++n) {
    const Counts& counts = tally.areas[n];
    fmt::print("{:16} {:7} flips, {} detected, {} read well elsewhere; {} blocks, {} detected\n",
               name_of(static_cast<Area>(n)), counts.flips.made, counts.flips.detected, counts.flips.repaired,
               counts.blocks.made, counts.blocks.detected);
  }
  fmt::print("{} reads, {} fsck runs, {} mended, {} reopened, {} compacted away, {} violations, {:.1f} s\n",
             tally.reads, tally.fsck_runs, tally.mended, tally.reopened, tally.compacted_away, failures.size(),
             seconds);
  if (!arguments.json.empty()) write_json(arguments, tally, failures, seconds);
  return failures.empty() ? 0 : 1;
}

}  // namespace
}  // namespace tombolo::testing::rot

int main(int argc, char** argv) {
  using namespace tombolo;
  using namespace tombolo::testing::rot;
  Arguments arguments;
  CLI::App app("Seeded bit flips and lost or misdirected blocks below living cells");
  app.add_option("--seed", arguments.seed, "of the first cell; the others count up");
  app.add_option("--flips", arguments.flips, "in runs, headers, remote objects and the commit log");
  app.add_option("--tables", arguments.tables, "in RocksDB's tables, beside those");
  app.add_option("--cells", arguments.cells)->check(CLI::PositiveNumber);
  app.add_option("--json", arguments.json, "where to write the sums");
  CLI11_PARSE(app, argc, argv);
  set_log_level(LogLevel::kNone);
  return run(arguments);
}
