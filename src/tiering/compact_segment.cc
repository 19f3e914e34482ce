#include "tiering/compact_segment.h"

#include <algorithm>

#include "async/byte_stream.h"
#include "base/log.h"
#include "base/units.h"
#include "data/run_reader.h"
#include "data/scan.h"
#include "data/segment_store.h"
#include "meta/ops/gens.h"
#include "meta/ops/tier.h"
#include "store/rewrite_run.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint64_t kBatchBytes = 32 * kMiB;  // copied between two syncs

struct Batch {
  std::vector<data::SealedRun> written;  // pins, until the rows say where they are
  std::vector<meta::MoveRun> moves;
  std::uint64_t bytes = 0;
};

/// The row of the run found, when it is there that the row says it is and its gen is to stay.
Task<std::optional<meta::Run>> live_row(store::Services& services, SegmentId segment, data::FoundRun found) {
  const data::RunHeader& header = found.header;
  CO_TRY_ASSIGN(auto rows, meta::list_runs(services.cell, header.tenant, header.gen, header.gen_offset, 1));
  if (rows.empty() || rows.front().offset != header.gen_offset) co_return std::optional<meta::Run>{};
  meta::Run& run = rows.front();
  if (!run.local || run.local->segment != segment || run.local->offset != found.offset) {
    co_return std::optional<meta::Run>{};
  }
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(services.cell, header.tenant, header.gen));
  if (!gen || gen->state == meta::GenState::kCondemned) co_return std::optional<meta::Run>{};  // it goes by itself
  co_return std::optional<meta::Run>(std::move(run));
}

Task<data::SealedRun> copy_run(store::Services& services, TenantId tenant, meta::Run run) {
  data::RunToRead what;
  what.tenant = tenant;
  what.gen = run.gen;
  what.gen_offset = run.offset;
  what.length = run.length;
  what.granule_crcs = run.granule_crcs;
  what.segment = run.local->segment;
  what.offset = run.local->offset;
  data::RunRange range;
  range.length = run.length;
  range.admission = data::Admission::kBypass;
  CO_CHECK_ASSIGN(const std::unique_ptr<data::RunReader> reader,
                  data::RunReader::open(services.segments, services.cache, std::move(what), range));
  co_return co_await store::rewrite_run(services.segments, tenant, std::move(run), *reader, kv::Purpose::kFreesSpace);
}

Task<void> flush(store::Services& services, Batch& batch, Compacted& done) {
  if (batch.moves.empty()) co_return Result<void>{};
  std::vector<SegmentId> touched;
  for (const data::SealedRun& run : batch.written) touched.push_back(run.place.segment);
  CO_TRY(services.segments.sync(std::move(touched)));
  CO_TRY_ASSIGN(const std::vector<bool> moved, meta::move_runs(services.cell, batch.moves));
  done.runs += static_cast<std::uint64_t>(std::count(moved.begin(), moved.end(), true));
  done.bytes += batch.bytes;
  batch = {};
  co_return Result<void>{};
}

Task<void> move_live_runs(store::Services& services, SegmentId segment, const data::SegmentScan& scan, Batch& batch,
                          Compacted& done, const StopAsked& stop_asked) {
  for (const data::FoundRun& found : scan.runs) {
    CO_CHECK(go_on(stop_asked));
    CO_TRY_ASSIGN(auto run, live_row(services, segment, found));
    if (!run) continue;
    meta::MoveRun move;
    move.tenant = found.header.tenant;
    move.gen = run->gen;
    move.offset = run->offset;
    move.from = *run->local;
    const std::uint64_t length = run->length;
    auto written = co_await copy_run(services, move.tenant, *std::move(run));
    if (!written.ok() && written.error().code == Code::kCorrupt) {
      log(LogLevel::kError, "tiering", "compaction leaves a damaged run where it is: {}", written.error().message);
      ++done.damaged;
      continue;
    }
    if (!written.ok()) co_return written.error();
    move.to = {written->place.segment, written->place.offset};
    batch.written.push_back(*std::move(written));
    batch.moves.push_back(move);
    batch.bytes += length;
    if (batch.bytes >= kBatchBytes || batch.moves.size() == meta::kRunsPerBatchMax) {
      CO_TRY(flush(services, batch, done));
    }
  }
  co_return Result<void>{};
}

}  // namespace

Task<Compacted> compact_segment(store::Services& services, SegmentId segment, StopAsked stop_asked) {
  CO_CHECK_ASSIGN(const data::SegmentPin pin, services.segments.pin(segment));
  CO_TRY_ASSIGN(const data::SegmentScan scan, services.segments.scan(pin, data::ScanDepth::kHeaders, stop_asked));
  Compacted done;
  done.damaged = scan.unreadable;
  Batch batch;
  Result<void> moved = co_await move_live_runs(services, segment, scan, batch, done, stop_asked);
  const Result<void> flushed = co_await flush(services, batch, done);
  if (!flushed.ok()) done.stopped = flushed.error();
  if (!moved.ok()) done.stopped = std::move(moved).error();
  co_return done;
}

}  // namespace tombolo::tiering
