// check_history: whether one order of each name's operations explains every answer (linearizability).
//
// Wing and Gong's search with Lowe's memory of what was tried (Lowe, "Testing for linearizability", 2017), name by
// name. Events are walked in the order of their moments with the set of all configurations that are possible then: a
// state of the name, and which of the operations under way have happened already. An operation is made to happen only
// when its answer demands it, or that of another one after it, so that the set stays small, and the work grows with the
// length of a history only linearly.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "testing/linearize/history.h"

namespace tombolo::testing::linearize {

struct Finding {
  std::string what;
  /// The steps that suffice to show it, by their calls; empty when `what` says it all.
  Steps steps = {};
  std::size_t at = 0;                    // of these, the one whose answer nothing explains
  std::vector<std::string> before = {};  // what the name could be before them
};
std::string describe(const Finding& finding);

/// Every name begins without an object. Also: two changes never have one ETag, whatever their names, and of one name
/// ETags grow from change to change.
std::optional<Finding> check_history(const std::vector<Steps>& names);

}  // namespace tombolo::testing::linearize
