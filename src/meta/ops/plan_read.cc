#include <algorithm>

#include "base/assert.h"
#include "meta/ops/gen_rows.h"
#include "meta/ops/gens.h"

namespace tombolo::meta {
namespace {

Error hole(GenId gen, std::uint64_t offset) {
  return {Code::kCorrupt, "gen " + std::to_string(gen.value) + " has no row for its byte " + std::to_string(offset)};
}

// A part of a gen that has bytes itself, and where that part lies in the gen that is read.
struct Part {
  std::uint64_t offset = 0;  // in the source
  std::uint64_t length = 0;
  std::uint64_t at = 0;  // in the gen asked for
};

void add_inline(ReadPlan& plan, Gen& source, Part part) {
  ReadPiece piece;
  piece.offset = part.at;
  piece.length = part.length;
  piece.skip = part.offset;
  piece.inline_bytes = std::move(source.inline_bytes);
  piece.inline_crc64 = source.crc64;
  plan.pieces.push_back(std::move(piece));
}

Task<void> add_runs_of(kv::Snapshot& from, TenantId tenant, GenId source, Part part, std::uint32_t pieces_max,
                       ReadPlan& plan) {
  const RowsFrom which{.tenant = tenant,
                       .gen = source,
                       .offset = part.offset,
                       .end = part.offset + part.length,
                       .limit = pieces_max - static_cast<std::uint32_t>(plan.pieces.size())};
  CO_TRY_ASSIGN(auto runs, runs_from(from, which));
  std::uint64_t at = part.offset;
  for (Run& run : runs) {
    if (run.offset > at || run.offset + run.length <= at) co_return hole(source, at);
    ReadPiece piece;
    piece.skip = at - run.offset;
    piece.length = std::min(run.length - piece.skip, part.offset + part.length - at);
    piece.offset = part.at + (at - part.offset);
    at += piece.length;
    piece.run = std::move(run);
    plan.pieces.push_back(std::move(piece));
  }
  if (at < which.end && runs.size() < which.limit) co_return hole(source, at);
  co_return Result<void>{};
}

Task<void> add_slices(kv::Snapshot& from, TenantId tenant, ReadRange range, ReadPlan& plan) {
  const std::uint64_t end = range.offset + range.length;
  const RowsFrom which{
      .tenant = tenant, .gen = plan.gen.id, .offset = range.offset, .end = end, .limit = range.pieces_max};
  CO_TRY_ASSIGN(const auto slices, slices_from(from, which));
  std::uint64_t at = range.offset;
  for (const Slice& slice : slices) {
    if (plan.pieces.size() >= range.pieces_max) co_return Result<void>{};
    if (slice.offset > at || slice.offset + slice.length <= at) co_return hole(plan.gen.id, at);
    const std::uint64_t skip = at - slice.offset;
    const Part part{.offset = slice.source_offset + skip, .length = std::min(slice.length - skip, end - at), .at = at};
    at += part.length;
    CO_TRY_ASSIGN(auto source, read_gen(from, tenant, slice.source));
    if (!source) co_return Error{Code::kCorrupt, "gen " + std::to_string(slice.source.value) + ", a source, is gone"};
    if (part.offset + part.length > source->length) co_return hole(slice.source, source->length);
    if (source->shape == GenShape::kInline) {
      add_inline(plan, *source, part);
    } else {
      CO_TRY(add_runs_of(from, tenant, slice.source, part, range.pieces_max, plan));
    }
  }
  if (at < end && slices.size() < which.limit) co_return hole(plan.gen.id, at);
  co_return Result<void>{};
}

}  // namespace

Task<std::optional<ReadPlan>> plan_read(Cell cell, TenantId tenant, GenId gen, ReadRange range) {
  ASSERT(range.pieces_max > 0);
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(auto row, read_gen(*snapshot, tenant, gen));
  if (!row) co_return std::optional<ReadPlan>{};
  ReadPlan plan;
  plan.gen = *std::move(row);
  if (range.offset > plan.gen.length || range.length > plan.gen.length - range.offset) {
    co_return Error{Code::kCorrupt, "gen " + std::to_string(gen.value) + " has " + std::to_string(plan.gen.length) +
                                        " bytes, and what names it says that it has more"};
  }
  if (range.length == 0) co_return std::optional<ReadPlan>(std::move(plan));
  const Part whole{.offset = range.offset, .length = range.length, .at = range.offset};
  switch (plan.gen.shape) {
    case GenShape::kInline: {
      add_inline(plan, plan.gen, whole);
      break;
    }
    case GenShape::kRuns: {
      CO_TRY(add_runs_of(*snapshot, tenant, gen, whole, range.pieces_max, plan));
      break;
    }
    case GenShape::kSlices: {
      CO_TRY(add_slices(*snapshot, tenant, range, plan));
      break;
    }
  }
  co_return std::optional<ReadPlan>(std::move(plan));
}

}  // namespace tombolo::meta
