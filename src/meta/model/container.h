// What a container is.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace tombolo::meta {

/// Fixed when the container is created (DESIGN decision 8).
enum class Mode : std::uint8_t { kFlat = 0, kHns = 1 };

/// kDeleting: the name is unlinked, rows go in the background, every mutation answers kNotFound.
enum class ContainerState : std::uint8_t { kLive = 0, kDeleting = 1 };

/// What the rows of one container start with.
struct ContainerKey {
  TenantId tenant;
  ContainerId id;
  friend auto operator<=>(const ContainerKey&, const ContainerKey&) = default;
};

/// Bytes of names and values together, of one container's or object's metadata (kTooLarge).
inline constexpr std::size_t kMetadataBytesMax = 32 * 1024;

/// User metadata in the order sent, names in the case sent. Names are unique ignoring case.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct Container {
  TenantId tenant;
  ContainerId id;
  std::string account;
  std::string name;
  Mode mode = Mode::kFlat;
  ContainerState state = ContainerState::kLive;
  Stamp created;
  Stamp etag_stamp;  // moved by metadata and configuration changes; last modified is its wall time
  Metadata metadata;
  std::string native_remote;  // bound to this remote alone: native keys carry no container name; empty = unbound
};

inline ContainerKey key_of(const Container& container) {
  return {container.tenant, container.id};
}

}  // namespace tombolo::meta
