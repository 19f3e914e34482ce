// Conditions of a request on the object that is there, and their verdict.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace tombolo::meta {

/// "*" (any) or a list of ETag stamps. A dialect turns ETag text into stamps; text that is no ETag of ours matches
/// none.
struct EtagMatch {
  bool any = false;
  std::vector<Stamp> stamps;
};

struct Conditions {
  std::optional<EtagMatch> if_match, if_none_match;
  std::optional<WallTime> if_modified_since, if_unmodified_since;  // compared in whole seconds
};

enum class Verdict {
  kPass,
  kFailed,       // if_match, if_unmodified_since: 412
  kNotModified,  // if_none_match with an ETag, if_modified_since: 304 on reads, 412 on writes
  kExists,       // if_none_match "*" and something is there: 409 on writes
};

/// Of a write; reads: read_conditions.h. `etag` is the present record's stamp, nullopt when nothing is there.
Verdict judge(const Conditions& conditions, std::optional<Stamp> etag);

}  // namespace tombolo::meta
