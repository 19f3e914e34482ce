// What a container is.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace tombolo::meta {

/// Fixed when the container is created (DESIGN decision 8).
enum class Mode : std::uint8_t { kFlat = 0, kHns = 1 };

/// User metadata in the order sent, names in the case sent. Names are unique ignoring case.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct Container {
  TenantId tenant;
  ContainerId id;
  std::string account;
  std::string name;
  Mode mode = Mode::kFlat;
  Stamp created;
  Stamp etag_stamp;  // moved by metadata and configuration changes; last modified is its wall time
  Metadata metadata;
  std::string native_remote;  // bound to this remote alone: native keys carry no container name; empty = unbound
};

}  // namespace tombolo::meta
