// run_sites: each call of the core to Disk and Remote dies, and fails, in sequences that are known to reach it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "testing/model/driver.h"

namespace tombolo::testing::model {

struct SitesOptions {
  std::uint64_t seed = 1;               // of the first sequence; the others count up
  std::uint64_t sequences_min = 200;    // from these the strikes choose
  std::uint64_t sequences_max = 2'000;  // in which every place must show itself
  std::uint64_t rounds_min = 1;         // in each every fault happens once at every place
  std::function<bool()> enough;         // asked after each of these rounds
};

struct SiteRow {
  CallSite site;
  SiteSteps steps;
  std::string_view spared;    // why no sequence comes here; empty: one must
  bool is_last_sync = false;  // of its file: nobody is there to be told late that it failed
};

/// The faults that can happen there.
std::vector<SimFault> faults_of(const SiteRow& row);

struct SitesFailure {
  SequenceOptions options;
  std::vector<Operation> operations;
  Violation violation;
};

struct SitesReport {
  std::vector<SiteRow> rows;             // every place that was compiled in, in order
  std::vector<std::string> unlisted;     // executed, and not in the list: the list is wrong
  std::vector<std::string> spared_gone;  // spared, or a last sync, and not so: that entry must go
  std::vector<SitesFailure> failures;
  std::uint64_t sequences = 0, rounds = 0, strikes = 0;
};

/// Runs random sequences until each place was reached by some, then each of these with each fault at that place.
SitesReport run_sites(const SitesOptions& options);

}  // namespace tombolo::testing::model
