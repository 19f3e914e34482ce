#include "store/recall_gen.h"

#include <fmt/format.h>

#include "data/segment_store.h"
#include "meta/ops/tier.h"
#include "store/gen_source.h"
#include "store/rewrite_run.h"
#include "store/services.h"

namespace tombolo::store {
namespace {

constexpr std::uint32_t kBatchPieces = 16;  // up to 128 MiB that a crash would have to fetch again

struct Batch {
  std::vector<data::SealedRun> written;  // pins, until the rows are in
  std::vector<meta::FilledRun> filled;
};

Task<void> fetch(Services& services, TenantId tenant, GenId gen, const meta::ReadPiece& piece, Batch& batch) {
  if (piece.skip != 0 || piece.length != piece.run->length) {
    co_return Error{Code::kUnsupported,
                    fmt::format("gen {} refers to part of a run only, at its byte {}", gen.value, piece.offset)};
  }
  OpenGen what;
  what.tenant = tenant;
  what.gen = gen;
  what.offset = piece.offset;
  what.length = piece.length;
  what.caching = Caching::kNone;
  CO_TRY_ASSIGN(const std::unique_ptr<GenSource> source, GenSource::open(services, std::move(what)));
  CO_TRY_ASSIGN(data::SealedRun written, rewrite_run(services.segments, tenant, *piece.run, *source));
  batch.filled.push_back({piece.run->gen, piece.run->offset, {written.place.segment, written.place.offset}});
  batch.written.push_back(std::move(written));
  co_return Result<void>{};
}

}  // namespace

Task<Recalled> recall_gen(Services& services, TenantId tenant, GenId gen, StopAsked stop_asked) {
  CO_TRY_ASSIGN(const Stamp token, meta::begin_recall(services.cell, tenant, gen));
  CO_TRY_ASSIGN(const std::optional<meta::Gen> row, meta::get_gen(services.cell, tenant, gen));
  if (!row) co_return Error{Code::kNotFound, "the gen is gone", "GenGone"};
  Recalled done;
  for (std::uint64_t at = 0; at < row->length;) {
    meta::ReadRange range;
    range.offset = at;
    range.length = row->length - at;
    range.pieces_max = kBatchPieces;
    CO_TRY_ASSIGN(const std::optional<meta::ReadPlan> plan, meta::plan_read(services.cell, tenant, gen, range));
    if (!plan) co_return Error{Code::kNotFound, "the gen is gone", "GenGone"};
    if (plan->pieces.empty()) {
      co_return Error{Code::kCorrupt, fmt::format("gen {}: nothing says where byte {} is", gen.value, at)};
    }
    Batch batch;
    std::vector<SegmentId> segments;
    for (const meta::ReadPiece& piece : plan->pieces) {
      at = piece.offset + piece.length;
      if (!piece.run || piece.run->local) continue;
      CO_CHECK(go_on(stop_asked));
      CO_TRY(fetch(services, tenant, gen, piece, batch));
      segments.push_back(batch.written.back().place.segment);
      done.bytes += piece.length;
      ++done.runs;
    }
    if (batch.filled.empty()) continue;
    CO_TRY(services.segments.sync(std::move(segments)));
    CO_TRY(meta::fill_local(services.cell, tenant, gen, token, std::move(batch.filled)));
  }
  CO_TRY(meta::finish_recall(services.cell, tenant, gen, token));
  co_return done;
}

}  // namespace tombolo::store
