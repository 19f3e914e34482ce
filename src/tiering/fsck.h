// fsck: checks every row against runs, checksums and remote objects, and finds orphans.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/services.h"

namespace tombolo::tiering {

enum class Depth {
  kRows,   // rows against rows, files and remote listings: no byte of content is read
  kBytes,  // the same, and every local run is read and verified; every native object's size and ETag is asked for
  kAll,    // the same, and every native object is read back and verified
};

struct FsckOptions {
  Depth depth = Depth::kBytes;
  std::uint32_t findings_max = 1'000;  // more are counted, not listed
};

/// One thing that is wrong. `kind` is one of the names in docs/operations.md: "run-checksum", "run-header",
/// "segment-missing", "segment-short", "run-misplaced", "row-past-segment", "gen-without-edge", "edge-without-gen",
/// "name-without-gen", "remote-missing", "remote-changed", "remote-bytes", "log-record", "index-file", …
struct Finding {
  std::string kind;
  std::string what;    // which container/object/gen/segment/key, for a person
  std::string advice;  // what to do next
};

struct FsckReport {
  std::uint64_t objects = 0, gens = 0, runs = 0, bytes_verified = 0, segments = 0, remote_objects = 0;
  std::uint64_t findings_total = 0;
  std::vector<Finding> findings;
};

/// Safe beside running writers: what changes while it looks is looked at again before it is reported.
Task<FsckReport> fsck(store::Services& services, FsckOptions options,
                      std::function<void(const FsckReport&)> progress = {});

}  // namespace tombolo::tiering
