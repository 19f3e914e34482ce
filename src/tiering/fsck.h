// fsck: checks every row against runs, checksums and remote objects, finds orphans, and heals what can be healed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "store/services.h"

namespace tombolo::tiering {

enum class Depth {
  kRows,   // rows against rows and files: no byte of content is read, no remote asked
  kBytes,  // the same, and every local run is read and verified; every native object's size and ETag is asked for
  kAll,    // the same, every native object is read back and verified, and remotes are searched for unnamed objects
};

enum class Mending {
  kNo,
  kYes,  // what another copy or a rule can heal is healed, then everything is looked at again
};

struct FsckOptions {
  Depth depth = Depth::kBytes;
  Mending mending = Mending::kNo;
  std::uint32_t findings_max = 1'000;        // more are counted, not listed
  Duration pause = std::chrono::seconds(1);  // before what looks wrong is looked at again
};

/// One thing that is wrong. `kind` is one of: "run-checksum", "run-header", "run-misplaced", "run-without-segment",
/// "run-without-place", "run-without-gen", "row-past-segment", "segment-missing", "segment-short", "segment-header",
/// "segment-orphan", "segment-live", "cold-bytes", "gen-without-edge", "gen-rows", "gen-without-native-key",
/// "slice-without-gen", "edge-without-gen", "edge-without-holder", "name-without-gen", "name-without-edge",
/// "name-differs", "block-without-gen", "native-key-without-gen", "remote-missing", "remote-changed", "remote-bytes",
/// "remote-without-row", "remote-unreachable", "remote-unknown", "row-broken". (Damage in the commit log or the index
/// is a refusal to open.)
struct Finding {
  std::string kind;
  std::string what;    // which container/object/gen/segment/key, for a person
  std::string advice;  // what to do next
};

/// Something that was healed, and is no finding any more.
struct Repair {
  std::string kind;  // of the finding
  std::string what;  // the finding's
  std::string did;   // what was done about it
};

struct FsckCounts {
  std::uint64_t objects = 0, gens = 0, runs = 0, bytes_verified = 0, segments = 0, remote_objects = 0;
  std::uint64_t foreign_objects = 0;  // below the prefixes of remotes, not written by tombolo (kAll)
  std::uint64_t findings_total = 0;
  std::uint64_t repairs_total = 0;
};

struct FsckReport : FsckCounts {
  std::vector<Finding> findings;
  std::vector<Repair> repairs;  // with Mending::kYes; of them too no more than findings_max
  /// Remotes with so many foreign objects that the search was ended, and those that are not in use just now.
  std::vector<std::string> not_searched;
};

/// Called now and then while it looks, on the task's own strand; findings only count once they were looked at again.
using FsckProgress = std::function<void(const FsckCounts&)>;

/// Safe beside running writers: what changes while it looks is looked at again before it is reported.
///
/// With Mending::kYes each thing that is found and that something proves how to heal is healed, and everything is
/// looked at once more: the findings are what is left. Nothing that could be the last copy of anything is erased or
/// overwritten: files without a row are moved to `set-aside/`, a remote object is written anew only from runs that
/// verify, and what no rule decides stays a finding.
Task<FsckReport> fsck(store::Services& services, FsckOptions options, FsckProgress progress = {});

}  // namespace tombolo::tiering
