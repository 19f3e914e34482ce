#include "testing/model/sites.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "testing/model/generate.h"

namespace tombolo::testing::model {

namespace {

/// What counts: the folders that promise that nothing is lost. Below them Disk and Remote only pass calls on; above
/// them nobody keeps anything (the reserve and the files of server/ hold no data).
constexpr std::string_view kCore[] = {"kv/", "data/", "meta/", "jobs/", "store/", "tiering/"};

struct Spared {
  std::string_view file, function, why;
};
/// Keep it short.
constexpr Spared kSpared[] = {
    {"data/scan.cc", "data_verifies", "reads for salvage, which nothing calls yet"},
    {"tiering/fsck_runs.cc", "tiering::check_segment_file",
     "fsck looks again at a file that somebody else has put among the segments"},
    // Below fsck --repair, which the model does not ask for; it is neither write, commit, compaction, offload nor
    // recovery.
    {"data/segment_rewrite.cc", "SegmentStore::rewrite_header", "fsck --repair"},
    {"tiering/fsck_mend.cc", "set_aside", "fsck --repair"},
    {"tiering/fsck_mend_native.cc", "adopt", "fsck --repair"},
    {"tiering/fsck_mend_native.cc", "tiering::mend_native_key", "fsck --repair"},
};

/// Syncs after which no one syncs the file again, but for a start that follows upon a death at the one wrong moment.
/// What such a sync puts into the journal is durable there, and an error that comes later is told to nobody.
constexpr Spared kLastSyncs[] = {
    {"data/segment_rewrite.cc", "copy", "of a segment written anew, which is not appended to"},
    {"kv/log/commit_log_files.cc", "CommitLog::seal", "of a log file that has a successor"},
};
constexpr std::uint64_t kLastToldMax = 5;  // in some 60 tries of each of them
constexpr int kLateTriesMax = 60;          // of an error told late: the file's next sync must come within the sequence

/// Where chance seldom comes.
constexpr std::string_view kDirected[] = {
    // A remote that lies: fsck meets an object that no row names.
    "put size=6000 seed=1\noffload\nremote-fault number=1 text=said_done,_was_not:delete\ndelete\nsleep number=300\n"
    "gc\nsleep number=300\ngc\nsleep number=300\ngc\nheal\nfsck\n",
};

/// A start that has to write anew a segment which was open when the process died, and meets `fault` at the first place
/// of `function`, which has a part in that. Nothing where places are not listed.
std::string struck_rescue(std::string_view function, SimFault fault) {
  for (const CallSite& site : CallSite::all()) {
    if (site.file() != "data/segment_rewrite.cc" || site.function() != function) continue;
    return fmt::format(
        "put size=20000 seed=1\nput size=20000 key=1 seed=2\nstrike number=1 text={}:kill@{}\ncrash text=kill\n"
        "get\nget key=1\n",
        name_of(fault), site.name());
  }
  return "";
}

constexpr std::size_t kRoutesMax = 64;  // kept for each place

bool is_core(const CallSite& site) {
  return std::any_of(std::begin(kCore), std::end(kCore),
                     [&](std::string_view folder) { return site.file().starts_with(folder); });
}

template <std::size_t n>
const Spared* find_in(const Spared (&list)[n], const CallSite& site) {
  const auto* found = std::find_if(std::begin(list), std::end(list), [&](const Spared& one) {
    return one.file == site.file() && one.function == site.function();
  });
  return found == std::end(list) ? nullptr : found;
}

const Spared* spared(const CallSite& site) {
  return find_in(kSpared, site);
}

SiteRow row_of(const CallSite& site, const SiteSteps& steps) {
  const Spared* one = spared(site);
  const bool is_last = steps.step == SimStep::kSync && find_in(kLastSyncs, site) != nullptr;
  return {site, steps, one ? one->why : std::string_view(), is_last};
}

class Search {
 public:
  explicit Search(const SitesOptions& options) : options_(options), random_(options.seed) {
    for (const CallSite& site : CallSite::all()) {
      if (is_core(site)) places_[site];
    }
    is_listed_ = !places_.empty();
  }

  SitesReport run() {
    learn();
    for (; report_.rounds < options_.rounds_min || !options_.enough(); ++report_.rounds) round();
    insist_on_late_errors();
    return finish();
  }

 private:
  /// A sequence that comes by a place, and how often.
  struct Route {
    std::size_t sequence;
    std::uint64_t steps;
  };
  struct Place {
    SiteSteps steps;
    std::vector<Route> routes;
  };

  void learn() {
    for (const std::string_view text : kDirected) walk(*parse_trace(text));
    walk(*parse_trace(struck_rescue("State::write_anew", SimFault::kUnavailable)));  // then it is synced as it is
    walk(*parse_trace(struck_rescue("copy", SimFault::kUnavailable)));               // then what was made goes again
    walk(*parse_trace(struck_rescue("copy", SimFault::kDiesBefore)));                // then the next start removes it
    for (std::uint64_t n = 0; n < options_.sequences_max; ++n) {
      const bool all = std::all_of(places_.begin(), places_.end(), [](const auto& place) {
        return spared(place.first) || !place.second.routes.empty();
      });
      if (all && is_listed_ && n >= options_.sequences_min) break;
      walk(generate(options_.seed + n));
    }
  }

  void walk(std::vector<Operation> operations) {
    const std::size_t number = sequences_.size();
    sequences_.push_back(std::move(operations));
    for (const auto& [site, steps] : run_one(number, sequences_.back())) {
      auto& routes = places_[site].routes;
      if (routes.size() < kRoutesMax) routes.push_back({number, steps.steps});
    }
  }

  void round() {
    for (auto& [site, place] : places_) {
      if (place.routes.empty()) continue;
      for (const SimFault fault : faults_of(row_of(site, place.steps))) strike(site, place, fault);
    }
  }

  /// Also where no error can come late: kLastSyncs is to be the truth.
  void insist_on_late_errors() {
    const auto is_told = [](const Place& place) {
      return place.steps.faults[static_cast<std::size_t>(SimFault::kToldLate)] > 0;
    };
    for (auto& [site, place] : places_) {
      if (place.routes.empty() || place.steps.step != SimStep::kSync) continue;
      const bool is_last = row_of(site, place.steps).is_last_sync;
      for (int tries = 0; (is_last || !is_told(place)) && tries < kLateTriesMax; ++tries) {
        strike(site, place, SimFault::kToldLate);
      }
    }
  }

  void strike(const CallSite& site, const Place& place, SimFault fault) {
    constexpr std::string_view deaths[] = {"torn", "torn", "lost", "kept", "kill"};
    const Route& route = place.routes[random_.below(place.routes.size())];
    Operation strike;
    strike.kind = Kind::kStrike;
    strike.number = 1 + random_.below(route.steps);
    strike.text = fmt::format("{}:{}@{}", name_of(fault), deaths[random_.below(std::size(deaths))], site.name());
    std::vector<Operation> operations = sequences_[route.sequence];
    operations.insert(operations.begin(), std::move(strike));
    ++report_.strikes;
    run_one(route.sequence, std::move(operations));
  }

  SitesSteps run_one(std::size_t number, std::vector<Operation> operations) {
    const SequenceOptions options{.seed = options_.seed + number};
    SequenceResult result = run_sequence(options, operations);
    ++report_.sequences;
    std::erase_if(result.sites, [](const auto& site) { return !is_core(site.first); });
    for (const auto& [site, steps] : result.sites) {
      if (is_listed_ && !places_.contains(site)) report_.unlisted.push_back(site.name());
      SiteSteps& sum = places_[site].steps;
      sum.step = steps.step;
      sum.steps += steps.steps;
      for (std::size_t fault = 0; fault < kSimFaults; ++fault) sum.faults[fault] += steps.faults[fault];
    }
    if (result.violation) report_.failures.push_back({options, std::move(operations), *std::move(result.violation)});
    return std::move(result.sites);
  }

  SitesReport finish() {
    for (const auto& [site, place] : places_) {
      report_.rows.push_back(row_of(site, place.steps));
    }
    for (const Spared& one : kLastSyncs) {
      const auto holds = [&](const SiteRow& row) {
        return row.is_last_sync && find_in(kLastSyncs, row.site) == &one &&
               row.steps.faults[static_cast<std::size_t>(SimFault::kToldLate)] <= kLastToldMax;
      };
      if (std::none_of(report_.rows.begin(), report_.rows.end(), holds)) {
        report_.spared_gone.push_back(fmt::format("{} {}", one.file, one.function));
      }
    }
    for (const Spared& one : kSpared) {
      const auto holds = [&](const SiteRow& row) { return spared(row.site) == &one && row.steps.steps == 0; };
      if (std::none_of(report_.rows.begin(), report_.rows.end(), holds)) {
        report_.spared_gone.push_back(fmt::format("{} {}", one.file, one.function));
      }
    }
    return std::move(report_);
  }

  const SitesOptions& options_;
  SeededRandom random_;
  std::vector<std::vector<Operation>> sequences_;
  std::map<CallSite, Place> places_;
  bool is_listed_ = false;
  SitesReport report_;
};

}  // namespace

std::vector<SimFault> faults_of(const SiteRow& row) {
  std::vector<SimFault> out{SimFault::kDiesBefore, SimFault::kDiesAfter};
  switch (row.steps.step) {
    case SimStep::kSync:
      out.insert(out.end(), {SimFault::kPagesKept, SimFault::kPagesReverted});
      if (!row.is_last_sync) out.push_back(SimFault::kToldLate);
      break;
    case SimStep::kWrite:
    case SimStep::kReserve:
    case SimStep::kCreate:
    case SimStep::kRename:
    case SimStep::kMakeDirectory:
      out.insert(out.end(), {SimFault::kUnavailable, SimFault::kNoSpace});
      break;
    case SimStep::kLook:
    case SimStep::kRead:
    case SimStep::kTruncate:
    case SimStep::kRemove:
    case SimStep::kSyncDirectory:
    case SimStep::kFlushIndex:
    case SimStep::kRemote:
      out.push_back(SimFault::kUnavailable);
      break;
  }
  return out;
}

SitesReport run_sites(const SitesOptions& options) {
  return Search(options).run();
}

}  // namespace tombolo::testing::model
