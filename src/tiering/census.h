// Census: where the bytes of all objects are, and which of them exist on this machine only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "meta/model/container.h"
#include "store/services.h"

namespace tombolo::tiering {

struct PlaceCount {
  std::uint64_t objects = 0, bytes = 0;  // as clients see them
};

struct Census {
  PlaceCount local;   // on flash only: this is the exposed window
  PlaceCount remote;  // in a remote; local places gone, or going
  PlaceCount both;
  std::optional<Stamp> oldest_exposed;  // content of the oldest object that is on flash only
  WallTime finished;
};

/// Looks at every object of these containers, page by page; after each page it rests, so that it takes at most about
/// 2 % of a core. What changes meanwhile is counted as it was or as it is. Cancellation ends it between pages.
Task<Census> take_census(store::Services& services, std::vector<meta::ContainerKey> containers);

}  // namespace tombolo::tiering
