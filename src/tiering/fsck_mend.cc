// What fsck heals, finding by finding. Each repair reads its rows anew and changes them under conflict, so that it is
// safe beside writers; the pass after it tells whether it has helped.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "data/layout.h"
#include "data/segment_store.h"
#include "meta/ops/gens.h"
#include "meta/ops/repair.h"
#include "meta/ops/tier.h"
#include "tiering/compact_segment.h"
#include "tiering/fsck_check.h"

namespace tombolo::tiering {
namespace {

constexpr const char* kAside = "set-aside";
constexpr std::uint32_t kSlicesPerLook = 64;

bool is_one_of(const std::string& kind, std::initializer_list<std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

/// `words` when the change was made.
Task<Mended> words_if(Task<bool> change, std::string words) {
  CO_TRY_ASSIGN(const bool done, std::move(change));
  co_return done ? Mended(std::move(words)) : Mended();
}

Task<Mended> restore_edges_of_slices(Checking& checking, TenantId tenant, GenId id) {
  const meta::Cell cell = checking.services.cell;
  std::uint64_t restored = 0;
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(cell, tenant, id));
  for (std::uint64_t at = 0; gen && at < gen->length;) {
    CO_TRY_ASSIGN(const auto slices, meta::list_slices(cell, tenant, id, at, kSlicesPerLook));
    if (slices.empty()) break;
    for (const meta::Slice& slice : slices) {
      at = slice.offset + slice.length;
      CO_TRY_ASSIGN(const bool held, meta::has_edge(cell, tenant, slice.source, HolderId{id.value}));
      if (held) continue;
      CO_TRY_ASSIGN(const bool done, meta::restore_edge_of_slice(cell, tenant, id, slice.offset));
      restored += done ? 1 : 0;
    }
  }
  co_return restored == 0 ? Mended() : Mended("its slices hold their sources again");
}

Task<Mended> requeue_native(Checking& checking, const Unit& unit) {
  const meta::Cell cell = checking.services.cell;
  CO_TRY_ASSIGN(const auto row, meta::get_native_key(cell, unit.tenant, unit.name, unit.key));
  if (!row) co_return Mended();
  co_return co_await words_if(meta::requeue_native_key(cell, unit.tenant, *row),
                              "garbage collection looks at it again");
}

/// Its header follows from its row. Else what verifies in it moves, and the rest of it is given up once no row refers
/// to it.
Task<Mended> mend_segment(Checking& checking, SegmentId segment, const std::string& kind) {
  data::SegmentStore& segments = checking.services.segments;
  if (kind == "segment-header") {
    CO_TRY_ASSIGN(const bool written, segments.rewrite_header(segment));
    if (written) co_return Mended("its header is written anew, from its row");
  }
  const auto compacted = co_await compact_segment(checking.services, segment);
  const bool readable = compacted.ok() || compacted.error().code == Code::kCorrupt;
  if (!readable) co_return compacted.error();
  CO_TRY_ASSIGN(const auto errors, find_counter_errors(checking));
  const bool counted =
      std::none_of(errors.begin(), errors.end(), [&](const CounterError& error) { return error.segment == segment; });
  if (!counted) co_return Mended();
  const auto released = co_await segments.release(segment);
  if (released.ok()) {
    CO_TRY_ASSIGN(const data::ReapReport reaped, segments.reap());
    const std::string given_up = "no run lies in it any more: it is given up";
    if (!reaped.failed) co_return Mended(given_up);
    co_return Mended(fmt::format("{}; a file could not be removed yet: {}", given_up, reaped.failed->message));
  }
  if (!compacted.ok() || compacted->runs == 0) co_return Mended();
  co_return Mended(fmt::format("{} runs moved out of it", compacted->runs));
}

/// Moved, not removed: where rows were lost, by a restore from an older backup say, it may be the only copy.
Task<Mended> set_aside(Checking& checking, std::string name) {
  disk::Disk& disk = checking.services.segments.disk();
  const std::string directory = kAside;
  CO_TRY(disk.make_directory(directory));
  CO_TRY_ASSIGN(const auto entries, disk.list(directory));
  const bool taken =
      std::any_of(entries.begin(), entries.end(), [&name](const disk::Entry& entry) { return entry.name == name; });
  if (taken) co_return Mended();
  const std::string segments(data::kSegmentsDirectory);
  CO_TRY(disk.rename(segments + "/" + name, directory + "/" + name));
  CO_TRY(disk.sync_directory(directory));
  CO_TRY(disk.sync_directory(segments));
  CO_TRY(disk.sync_directory(""));
  co_return Mended(fmt::format("moved to {}/{}", directory, name));
}

Task<Mended> mend_gen(Checking& checking, const Unit& unit, const std::string& kind) {
  const TenantId tenant = unit.tenant;
  const GenId gen{unit.id};
  if (is_one_of(kind, {"run-checksum", "run-header", "run-misplaced", "run-without-segment", "row-past-segment"})) {
    co_return co_await mend_runs(checking, tenant, gen);
  }
  if (is_one_of(kind, {"remote-missing", "remote-changed", "remote-bytes"})) {
    co_return co_await mend_native_copy(checking, tenant, gen);
  }
  if (kind == "gen-without-native-key") co_return co_await mend_native_key(checking, tenant, gen);
  if (kind == "slice-without-gen") co_return co_await restore_edges_of_slices(checking, tenant, gen);
  if (kind == "gen-without-edge") {
    co_return co_await words_if(meta::requeue_dead_gen(checking.services.cell, tenant, gen),
                                "garbage collection looks at it again");
  }
  co_return Mended();
}

Task<Mended> mend_one(Checking& checking, const Unit& unit, const std::string& kind) {
  const meta::Cell cell = checking.services.cell;
  const meta::ContainerKey container{unit.tenant, ContainerId{unit.id}};
  switch (unit.kind) {
    case Unit::Kind::kObject:
      if (kind != "name-without-edge") co_return Mended();
      co_return co_await words_if(meta::restore_edge_of_object(cell, container, unit.name), "it holds its bytes again");
    case Unit::Kind::kBlock:
      co_return co_await words_if(meta::restore_edge_of_block(cell, container, UploadId{unit.other}, unit.name),
                                  "it holds its bytes again");
    case Unit::Kind::kGen:
      co_return co_await mend_gen(checking, unit, kind);
    case Unit::Kind::kEdge:
      co_return co_await words_if(meta::drop_lonely_edge(cell, unit.tenant, GenId{unit.id}, HolderId{unit.other}),
                                  "removed: something else holds the bytes");
    case Unit::Kind::kNativeKey:
      co_return co_await requeue_native(checking, unit);
    case Unit::Kind::kSegment:
      co_return co_await mend_segment(checking, SegmentId{unit.id}, kind);
    case Unit::Kind::kSegmentFile:
      co_return co_await set_aside(checking, unit.name);
    case Unit::Kind::kGone:
    case Unit::Kind::kUnnamed:
    case Unit::Kind::kCounters:
      break;
  }
  co_return Mended();
}

/// What is refused or fails for one thing must not keep the others from being healed.
bool goes_on_after(const Error& error) {
  return error.code != Code::kCancelled && error.code != Code::kInternal && error.code != Code::kUnknownOutcome;
}

}  // namespace

Task<std::vector<Repair>> mend(Checking& checking, const std::vector<Suspect>& confirmed) {
  std::vector<Repair> repairs;
  if (confirmed.empty()) co_return repairs;
  // What is written anew goes into a file of its own: the open one may be the one that is damaged, or gone.
  CO_TRY(checking.services.segments.rotate());
  CO_TRY(checking.services.segments.rotate(kv::Purpose::kFreesSpace));
  for (const Suspect& suspect : confirmed) {
    if (suspect.unit.kind == Unit::Kind::kCounters) {
      CO_TRY_ASSIGN(auto done, mend_counters(checking, suspect));
      for (Repair& repair : done) repairs.push_back(std::move(repair));
      continue;
    }
    std::set<std::string> tried;  // one repair mends all findings of its kind in a unit
    for (const Finding& finding : suspect.findings) {
      if (!tried.insert(finding.kind).second) continue;
      auto mended = co_await mend_one(checking, suspect.unit, finding.kind);
      if (!mended.ok() && !goes_on_after(mended.error())) co_return mended.error();
      if (!mended.ok()) {
        log(LogLevel::kWarn, "tiering", "fsck cannot repair {}: {}", finding.what, to_string(mended.error()));
        continue;
      }
      if (*mended) repairs.push_back({finding.kind, finding.what, **mended});
    }
  }
  co_return repairs;
}

}  // namespace tombolo::tiering
