// What run_sites has found, for people and for programs.
#pragma once

#include <string>

#include "testing/model/sites.h"

namespace tombolo::testing::model {

struct SitesTotals {
  std::uint64_t sites = 0, syncs = 0;  // spared ones left out
  std::uint64_t crashed = 0;           // hit by a death before and one after
  std::uint64_t failed = 0;            // by every error that the step can have
  std::uint64_t syncs_failed = 0;      // by every behaviour of a failing sync
};
SitesTotals totals_of(const SitesReport& report);

std::string to_table(const SitesReport& report);
std::string to_json(const SitesReport& report, double seconds);

}  // namespace tombolo::testing::model
