// Background work that rows queue: what garbage collection looks at, and what is purged.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"

namespace tombolo::meta {

inline constexpr unsigned kCandidateShards = 16;

enum class CandidateKind : std::uint8_t {
  kGen = 0,     // a gen that may be dead: it lost an edge, is staging, or is condemned
  kNative = 1,  // a native object whose gen is dead: row K says kCondemned
};

/// Row G <shard>/<queued>/<id>.
struct Candidate {
  unsigned shard = 0;
  Stamp queued;          // when; a grace counts from here
  std::uint64_t id = 0;  // the gen's, for both kinds
  CandidateKind kind = CandidateKind::kGen;
  TenantId tenant;
  std::string remote, key;  // kNative

  GenId gen() const { return {id}; }
};

enum class PurgeKind : std::uint8_t { kContainer = 0, kUpload = 1 };

/// Row Q <queued>/<id>.
struct PurgeEntry {
  Stamp queued;
  PurgeKind kind = PurgeKind::kContainer;
  TenantId tenant;
  ContainerId container;
  UploadId upload;  // kUpload
};

}  // namespace tombolo::meta
