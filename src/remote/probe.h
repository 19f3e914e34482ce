// probe: tries everything that tombolo needs of a remote, on an object of its own. For `tombolo remote test`.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "remote/remote.h"

namespace tombolo::remote {

struct ProbeStep {
  std::string what;  // for a person: "read a range"
  bool ok = false;
  Duration took{0};
  std::string problem;  // empty when ok
};

struct ProbeOptions {
  std::string prefix;  // where tombolo keeps its objects; empty or ending in "/"
};

/// In order of trying. Ends early where nothing can be written: the rest would say nothing. Works below
/// "<prefix>.tombolo-probe-<nonce>", and removes it at the end; if that fails, the last step says so.
Task<std::vector<ProbeStep>> probe(Remote& remote, ProbeOptions options, Clock& clock, Random& random);

}  // namespace tombolo::remote
