// Runs that do not verify where they are, written anew from where the same bytes verify; and counters.
#include <fmt/format.h>

#include <algorithm>

#include "data/segment_store.h"
#include "kv/run.h"
#include "meta/ops/gens.h"
#include "meta/ops/repair.h"
#include "meta/ops/tier.h"
#include "store/gen_source.h"
#include "store/rewrite_run.h"
#include "tiering/fsck_check.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint32_t kRunsPerLook = 64;
constexpr std::uint32_t kHoldersMax = 100;
constexpr std::uint32_t kSlicesPerLook = 64;

struct Origin {
  store::OpenGen what;
  std::string words;
};

std::string words_for(const meta::NativePlace& place) {
  return fmt::format("\"{}\" in remote \"{}\"", place.key, place.remote);
}

store::OpenGen part_of(TenantId tenant, GenId gen, std::uint64_t offset, std::uint64_t length) {
  store::OpenGen what;
  what.tenant = tenant;
  what.gen = gen;
  what.offset = offset;
  what.length = length;
  what.caching = store::Caching::kNone;
  return what;
}

/// Where the run's bytes begin in `gen`, one of slices, if a slice has all of them.
Task<std::optional<std::uint64_t>> find_in_slices(Checking& checking, TenantId tenant, const meta::Gen& gen,
                                                  const meta::Run& run) {
  for (std::uint64_t at = 0; at < gen.length;) {
    CO_TRY_ASSIGN(const auto slices, meta::list_slices(checking.services.cell, tenant, gen.id, at, kSlicesPerLook));
    if (slices.empty()) break;
    for (const meta::Slice& slice : slices) {
      at = slice.offset + slice.length;
      const bool whole = slice.source == run.gen && slice.source_offset <= run.offset &&
                         run.offset + run.length <= slice.source_offset + slice.length;
      if (whole) co_return slice.offset + (run.offset - slice.source_offset);
    }
  }
  co_return std::optional<std::uint64_t>();
}

/// The native copies that have the run's bytes: its own gen's, or those of gens that are made of it.
Task<std::vector<Origin>> find_copies(Checking& checking, TenantId tenant, const meta::Gen& gen, const meta::Run& run) {
  const meta::Cell cell = checking.services.cell;
  std::vector<Origin> out;
  if (gen.native) {
    Origin own{part_of(tenant, gen.id, run.offset, run.length), words_for(*gen.native)};
    own.what.read_back = gen.native;
    out.push_back(std::move(own));
  }
  CO_TRY_ASSIGN(const auto holders, meta::list_edges(cell, tenant, gen.id, kHoldersMax));
  for (const HolderId holder : holders) {
    CO_TRY_ASSIGN(const auto made, meta::get_gen(cell, tenant, GenId{holder.value}));
    if (!made || !made->native || made->shape != meta::GenShape::kSlices) continue;
    CO_TRY_ASSIGN(const auto at, find_in_slices(checking, tenant, *made, run));
    if (!at) continue;
    Origin origin{part_of(tenant, made->id, *at, run.length), words_for(*made->native)};
    origin.what.read_back = made->native;
    out.push_back(std::move(origin));
  }
  co_return out;
}

/// True when the run's row names a new place, whose bytes have been verified and synced.
Task<bool> write_anew(Checking& checking, TenantId tenant, const meta::Run& run, store::OpenGen from) {
  store::Services& services = checking.services;
  auto source = co_await store::GenSource::open(services, std::move(from));
  if (!source.ok()) co_return source.error();
  CO_TRY_ASSIGN(const data::SealedRun written, store::rewrite_run(services.segments, tenant, run, **source));
  std::vector<SegmentId> segments{written.place.segment};
  CO_TRY(services.segments.sync(std::move(segments)));
  meta::MoveRun move;
  move.tenant = tenant;
  move.gen = run.gen;
  move.offset = run.offset;
  move.from = *run.local;
  move.to = {written.place.segment, written.place.offset};
  co_return co_await meta::move_run(services.cell, move);
}

Task<Mended> mend_run(Checking& checking, TenantId tenant, const meta::Gen& gen, const meta::Run& run) {
  CO_TRY_ASSIGN(const Findings found, check_local_run(checking, tenant, run));
  if (found.empty()) co_return Mended();
  std::vector<Origin> origins;
  if (found.size() == 1 && found.front().kind == "run-header") {  // its bytes verify
    Origin here{part_of(tenant, gen.id, run.offset, run.length), "its own bytes"};
    here.what.places = store::Places::kLocalOnly;
    origins.push_back(std::move(here));
  }
  CO_TRY_ASSIGN(auto copies, find_copies(checking, tenant, gen, run));
  for (Origin& copy : copies) origins.push_back(std::move(copy));
  std::optional<Error> failed;
  for (Origin& origin : origins) {
    auto written = co_await write_anew(checking, tenant, run, std::move(origin.what));
    if (written.ok() && *written) co_return Mended("written anew from " + origin.words);
    if (!written.ok()) failed = std::move(written).error();
  }
  if (failed) co_return *std::move(failed);
  co_return Mended();
}

/// Of runs without rows, which must not be taken for free space.
bool may_tell_of_lost_rows(const Finding& finding) {
  static constexpr std::string_view kKinds[] = {"gen-rows",          "run-without-gen",   "name-without-gen",
                                                "gen-without-edge",  "slice-without-gen", "edge-without-gen",
                                                "block-without-gen", "row-broken",        "segment-orphan"};
  return std::find(std::begin(kKinds), std::end(kKinds), finding.kind) != std::end(kKinds);
}

Task<void> add_in(kv::Transaction& txn, std::string key, std::int64_t by) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  txn.add(std::move(key), by);
  co_return Result<void>{};
}

/// A sealed segment only loses runs: a counter that has not moved while they were summed is wrong by the difference.
Task<bool> correct(Checking& checking, const CounterError& error) {
  const meta::Cell cell = checking.services.cell;
  const std::int64_t by = error.sum - error.counted;
  if (!error.segment) {
    CO_TRY(meta::correct_cold_bytes(cell, by));
    co_return true;
  }
  if (!checking.services.segments.compactable(*error.segment)) co_return false;
  const std::string key = data::segment_live_key(*error.segment);
  std::function<Task<void>(kv::Transaction&)> body = [&](kv::Transaction& txn) { return add_in(txn, key, by); };
  CO_TRY(kv::run(cell.engine, cell.random, std::move(body)));
  co_return true;
}

}  // namespace

Task<Mended> mend_runs(Checking& checking, TenantId tenant, GenId id) {
  const meta::Cell cell = checking.services.cell;
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(cell, tenant, id));
  if (!gen) co_return Mended();
  std::uint64_t mended = 0;
  std::string words;
  std::optional<Error> failed;
  for (std::uint64_t at = 0; at < gen->length;) {
    CO_TRY_ASSIGN(const auto runs, meta::list_runs(cell, tenant, id, at, kRunsPerLook));
    if (runs.empty()) break;
    for (const meta::Run& run : runs) {
      at = run.offset + run.length;
      if (!run.local) continue;
      auto done = co_await mend_run(checking, tenant, *gen, run);
      if (!done.ok() && done.error().code == Code::kCancelled) co_return done.error();
      if (!done.ok()) {
        failed = std::move(done).error();
      } else if (*done) {
        ++mended;
        words = **done;
      }
    }
  }
  if (mended == 0 && failed) co_return *std::move(failed);
  if (mended == 0) co_return Mended();
  co_return Mended(mended == 1 ? words : fmt::format("{} runs of the gen {}", mended, words));
}

Task<std::vector<Repair>> mend_counters(Checking& checking, const Suspect& suspect) {
  std::vector<Repair> out;
  const FsckReport& report = checking.report;
  const bool rows_lost = report.findings.size() < report.findings_total ||
                         std::any_of(report.findings.begin(), report.findings.end(), may_tell_of_lost_rows);
  CO_TRY_ASSIGN(const auto errors, find_counter_errors(checking));
  for (const CounterError& error : errors) {
    const Finding finding = finding_of(error);
    const auto known = std::find_if(suspect.findings.begin(), suspect.findings.end(),
                                    [&](const Finding& before) { return before.what == finding.what; });
    const bool lowers = error.segment && error.sum < error.counted;
    if (known == suspect.findings.end() || (lowers && rows_lost)) continue;
    CO_TRY_ASSIGN(const bool done, correct(checking, error));
    if (done) out.push_back({finding.kind, finding.what, fmt::format("corrected to {}", error.sum)});
  }
  co_return out;
}

}  // namespace tombolo::tiering
