// The checks of fsck. Included by tiering/fsck*.cc only.
//
// fsck looks at units: one gen, one object, one segment, … Each check reads fresh rows and changes nothing, so that a
// unit that looks wrong can be looked at again: beside running writers, half of a change may be seen.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "async/mutex.h"
#include "data/segment_rows.h"
#include "meta/model/gen.h"
#include "meta/model/object.h"
#include "meta/ops/walk_rows.h"
#include "tiering/fsck.h"

namespace tombolo::tiering {

/// What the checks share.
struct Checking {
  Checking(store::Services& given_services, FsckOptions given_options)
      : services(given_services), options(given_options) {}

  store::Services& services;
  const FsckOptions options;

  /// As of the beginning of a round.
  struct Segment {
    data::SegmentRow row;
    std::uint64_t end = 0;  // no run reaches beyond
    bool sealed = false;
    bool used = false;  // the store has it open or retired
  };
  std::map<SegmentId, Segment> segments;

  /// Everything in the queue of garbage collection as of the beginning of a round: what is in it is not lost.
  std::set<std::pair<TenantId, std::uint64_t>> dying_gens;
  std::set<std::pair<std::string, std::string>> dying_natives;

  /// Remote and name under which Azure keeps what a row's key names with dots at the end of segments; walked for once
  /// when something asks.
  AsyncMutex finding_dotted;
  std::optional<std::set<std::pair<std::string, std::string>>> dotted;  // guarded by finding_dotted

  /// Thread-safe: units are checked side by side.
  void count(std::uint64_t FsckReport::* what, std::uint64_t by = 1) {
    const std::lock_guard lock(mutex);
    report.*what += by;
  }
  std::mutex mutex;
  FsckReport report;
};

using Findings = std::vector<Finding>;

/// Something that can be looked at by itself.
struct Unit {
  enum class Kind {
    kObject,
    kBlock,
    kGen,
    kGone,
    kEdge,
    kNativeKey,
    kUnnamed,
    kSegment,
    kSegmentFile,
    kCounters
  } kind = Kind::kGen;
  TenantId tenant;
  std::uint64_t id = 0;     // container, gen or segment
  std::uint64_t other = 0;  // kBlock: the upload; kEdge: the holder
  std::string name;         // object, block id, remote or file
  std::string key;          // in the remote
};

/// A unit and what is wrong with it.
struct Suspect {
  Unit unit;
  Findings findings;
};

/// Fills segments, dying_gens and dying_natives.
Task<void> begin_round(Checking& checking);
/// As it is now: the round may have begun long ago. nullopt when there is no such segment.
Task<std::optional<Checking::Segment>> segment_now(Checking& checking, SegmentId id);

Task<Findings> check_object(Checking& checking, meta::ContainerKey container, std::string name);
/// A staged block's row: the gen and the edge that it needs.
Task<Findings> check_block(Checking& checking, meta::ContainerKey container, UploadId upload, std::string block_id);
/// The gen's own rows, edges, places; its bytes as deep as asked.
Task<Findings> check_gen(Checking& checking, TenantId tenant, GenId gen);
/// Rows of a gen that is not there.
Task<Findings> check_gone(Checking& checking, TenantId tenant, GenId gen);
/// Edges whose holder is no gen and was found in no name and no upload: a batch of them.
struct LonelyEdges {
  std::vector<meta::Edge> edges;
  std::string next;  // pass as `from`; empty at the end
};
Task<LonelyEdges> find_lonely_edges(Checking& checking, TenantId tenant, std::string from);
/// One of them: whether it still is there. Names are not looked at again.
Task<Findings> check_edge(Checking& checking, TenantId tenant, GenId gen, HolderId holder);
/// Keys below the remote's prefix that no row names: a page of them.
struct UnnamedObjects {
  std::vector<std::string> keys;
  std::string next;               // pass as `marker`; empty at the end
  std::optional<Finding> failed;  // why the page cannot be had
  bool away = false;              // the remote is not in use just now, and nothing can be said of it
};
Task<UnnamedObjects> find_unnamed_objects(Checking& checking, std::string remote, std::string marker);
/// One of them: a finding if tombolo wrote it, else it is counted as foreign.
Task<Findings> check_unnamed_object(Checking& checking, std::string remote, std::string key);
Task<Findings> check_native_key(Checking& checking, TenantId tenant, std::string remote, std::string key);
/// Whether the row's file is there, is its own and is long enough.
Task<Findings> check_segment(Checking& checking, SegmentId segment);
/// A file of the segments' directory: whether a row knows it.
Task<Findings> check_segment_file(Checking& checking, std::string name);
/// The live bytes of all segments, and the cold bytes, against the sum of all runs.
struct CounterError {
  std::optional<SegmentId> segment;  // nullopt: the cold bytes
  std::int64_t counted = 0, sum = 0;
};
Task<std::vector<CounterError>> find_counter_errors(Checking& checking);
Finding finding_of(const CounterError& error);
Task<Findings> check_counters(Checking& checking);

/// Heals what it can of what was confirmed, and says what it did (fsck_mend.cc).
Task<std::vector<Repair>> mend(Checking& checking, const std::vector<Suspect>& confirmed);
/// Of one unit. Each gives what it has done, or nothing.
using Mended = std::optional<std::string>;
Task<Mended> mend_runs(Checking& checking, TenantId tenant, GenId gen);
Task<Mended> mend_native_copy(Checking& checking, TenantId tenant, GenId gen);
Task<Mended> mend_native_key(Checking& checking, TenantId tenant, GenId gen);
/// Live bytes only once nothing else is wrong that could tell of runs without rows.
Task<std::vector<Repair>> mend_counters(Checking& checking, const Suspect& suspect);

/// One run in its local place (fsck_runs.cc).
Task<Findings> check_local_run(Checking& checking, TenantId tenant, meta::Run run);
/// The native place of a live gen (fsck_native.cc).
Task<Findings> check_native_place(Checking& checking, TenantId tenant, meta::Gen gen);

}  // namespace tombolo::tiering
