// probe: tries everything that tombolo needs of a remote, on an object of its own. For `tombolo remote test`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "remote/remote.h"

namespace tombolo::remote {

/// What a step tries: a permission, or a kind of condition.
enum class Checked { kList, kHead, kDelete, kPut, kGet, kIfNoneMatch, kIfMatch };
inline constexpr Checked kAllChecked[] = {Checked::kPut,    Checked::kGet,         Checked::kHead,   Checked::kList,
                                          Checked::kDelete, Checked::kIfNoneMatch, Checked::kIfMatch};
/// "put", "if_none_match"
std::string_view name_of(Checked checked);

struct ProbeStep {
  std::string what;  // for a person: "read a range"
  Checked checked = Checked::kPut;
  bool ok = false;
  Duration took{0};
  std::string problem;  // empty when ok
};

struct ProbeOptions {
  std::string prefix;  // where tombolo keeps its objects; empty or ending in "/"
};

/// In order of trying: first what needs no object, then what does. Ends where the remote does not answer as itself, and
/// before it would leave something behind: without the right to delete nothing is written. Works below
/// "<prefix>.tombolo-probe-<nonce>", and removes it at the end; if that fails, the last step says so.
Task<std::vector<ProbeStep>> probe(Remote& remote, ProbeOptions options, Clock& clock, Random& random);

}  // namespace tombolo::remote
