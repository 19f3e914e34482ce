#include "testing/model/sites_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tombolo::testing::model {

namespace {

std::uint64_t count(const SiteRow& row, SimFault fault) {
  return row.steps.faults[static_cast<std::size_t>(fault)];
}

bool is_death(SimFault fault) {
  return fault == SimFault::kDiesBefore || fault == SimFault::kDiesAfter;
}

/// Whether each fault of this sort that the step can have has happened.
template <class Sort>
bool all_happened(const SiteRow& row, Sort sort) {
  const auto faults = faults_of(row);
  return row.steps.steps > 0 && std::all_of(faults.begin(), faults.end(),
                                            [&](SimFault fault) { return !sort(fault) || count(row, fault) > 0; });
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  const double share = whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return fmt::format("{} of {} ({:.1f} %)", part, whole, share);
}

std::string step_word(const SiteRow& row) {
  return row.steps.steps == 0 ? "-" : std::string(name_of(row.steps.step));
}

}  // namespace

SitesTotals totals_of(const SitesReport& report) {
  SitesTotals totals;
  for (const SiteRow& row : report.rows) {
    if (!row.spared.empty()) continue;
    const bool is_sync = row.steps.step == SimStep::kSync;
    const bool failed = all_happened(row, [](SimFault fault) { return !is_death(fault); });
    ++totals.sites;
    totals.crashed += all_happened(row, is_death);
    totals.failed += failed;
    totals.syncs += is_sync;
    totals.syncs_failed += is_sync && failed;
  }
  return totals;
}

std::string to_table(const SitesReport& report) {
  std::string out = fmt::format("{:<38} {:<32} {:<14} {:>9}  {}\n", "place", "function", "step", "times",
                                "before after | unavailable no_space | kept reverted late");
  for (const SiteRow& row : report.rows) {
    const auto faults = faults_of(row);
    const auto cell = [&](SimFault fault) {
      const bool has = row.steps.steps > 0 && std::find(faults.begin(), faults.end(), fault) != faults.end();
      return has ? std::to_string(count(row, fault)) : std::string("-");
    };
    out += fmt::format("{:<38} {:<32} {:<14} {:>9}  {:>6} {:>5} | {:>11} {:>8} | {:>4} {:>8} {:>4}{}{}\n",
                       row.site.name(), row.site.function(), step_word(row), row.steps.steps,
                       cell(SimFault::kDiesBefore), cell(SimFault::kDiesAfter), cell(SimFault::kUnavailable),
                       cell(SimFault::kNoSpace), cell(SimFault::kPagesKept), cell(SimFault::kPagesReverted),
                       cell(SimFault::kToldLate), row.spared.empty() ? "" : "  spared: ", row.spared);
  }
  const SitesTotals totals = totals_of(report);
  out += fmt::format(
      "of the calls to Disk and Remote in kv, data, meta, jobs, store and tiering:\n"
      "hit by a crash before and after  {}\nhit by every error               {}\n"
      "syncs failed in all their ways    {}\n"
      "{} strikes in {} rounds, {} sequences, {} violations\n",
      percent(totals.crashed, totals.sites), percent(totals.failed, totals.sites),
      percent(totals.syncs_failed, totals.syncs), report.strikes, report.rounds, report.sequences,
      report.failures.size());
  return out;
}

std::string to_json(const SitesReport& report, double seconds) {
  const SitesTotals totals = totals_of(report);
  nlohmann::json rows = nlohmann::json::array();
  for (const SiteRow& row : report.rows) {
    nlohmann::json faults;
    for (std::size_t fault = 0; fault < kSimFaults; ++fault) {
      faults[std::string(name_of(static_cast<SimFault>(fault)))] = row.steps.faults[fault];
    }
    rows.push_back({{"place", row.site.name()},
                    {"function", row.site.function()},
                    {"step", step_word(row)},
                    {"times", row.steps.steps},
                    {"faults", faults},
                    {"is_last_sync", row.is_last_sync},
                    {"spared", row.spared}});
  }
  const nlohmann::json out = {{"sites", totals.sites},
                              {"crashed", totals.crashed},
                              {"failed", totals.failed},
                              {"syncs", totals.syncs},
                              {"syncs_failed", totals.syncs_failed},
                              {"strikes", report.strikes},
                              {"rounds", report.rounds},
                              {"sequences", report.sequences},
                              {"violations", report.failures.size()},
                              {"unlisted", report.unlisted},
                              {"spared_gone", report.spared_gone},
                              {"seconds", seconds},
                              {"rows", rows}};
  return out.dump(1) + "\n";
}

}  // namespace tombolo::testing::model
