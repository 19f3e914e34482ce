// Eviction of a gen of slices takes its sources' local bytes. Another object may be made of the same sources at any
// time (a block list that keeps committed blocks), and it would have no native place to fall back to. So a source is
// first marked evicted, which refuses new edges (write_slices reads row i with conflict); only a later transaction,
// which finds this gen to be the source's one holder, clears places. The same two steps as a gen's death.
#include <limits>

#include "base/assert.h"
#include "base/planted_bugs.h"
#include "meta/ops/gen_rows.h"
#include "meta/ops/run_rows.h"
#include "meta/ops/tier.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kSlicesPerBatch = 32;
constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();

struct Eviction {
  Cell cell;
  TenantId tenant;
  GenId gen;
  Stamp token;
};

Task<Stamp> mark_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId id) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(Gen gen, read_live_gen(txn, tenant, id));
  if (!gen.native) co_return gen_moved();
  CO_TRY_ASSIGN(const Stamp token, cell.stamper.next());
  gen.evicted = true;
  gen.tier_stamp = token;
  put_gen(txn, tenant, gen);
  co_return token;
}

Task<Gen> read_evicting(kv::Transaction& txn, const Eviction& eviction) {
  CO_TRY_ASSIGN(Gen gen, read_live_gen(txn, eviction.tenant, eviction.gen));
  if (!gen.evicted || !gen.native || gen.tier_stamp != eviction.token) co_return gen_moved();
  co_return gen;
}

/// Clears up to `budget` rows of `of` from `cursor_offset` on; true when none are left behind it.
Task<bool> clear_runs(const Eviction& eviction, kv::Transaction& txn, GenId of, std::size_t& budget,
                      ClearBatch& batch) {
  const RowsFrom which{.tenant = eviction.tenant,
                       .gen = of,
                       .offset = batch.cursor.run_offset,
                       .end = kToTheEnd,
                       .limit = static_cast<std::uint32_t>(budget)};
  CO_TRY_ASSIGN(const auto seen, runs_from(txn, which));
  CO_TRY_ASSIGN(auto runs, reread_runs(txn, eviction.tenant, seen));
  std::uint64_t cold = 0;
  for (auto& run : runs) {
    if (!run || !run->local) continue;
    eviction.cell.ledger.freed(txn, *run->local, run->length);
    cold += run->length;
    run->local.reset();
    txn.put(keys::run(eviction.tenant, of, run->offset), encode(*run));
  }
  batch.freed_bytes += cold;
  count_cold(txn, static_cast<std::int64_t>(cold));
  const bool done = seen.size() < budget;
  budget -= seen.size();
  batch.cursor.run_offset = done || seen.empty() ? 0 : seen.back().offset + seen.back().length;
  co_return done;
}

Task<bool> held_by_this_alone(const Eviction& eviction, kv::Transaction& txn, GenId source) {
  const std::string prefix = keys::edges(eviction.tenant, source);
  CO_TRY_ASSIGN(const auto page, read_prefix(txn, prefix, prefix, 2));
  if (planted(PlantedBug::evict_shared_source)) co_return true;
  co_return page.rows.size() == 1 &&
      page.rows.front().key == keys::edge(eviction.tenant, source, HolderId{eviction.gen.value});
}

Task<void> mark_sources_in(const Eviction& eviction, kv::Transaction& txn, const std::vector<Slice>& slices) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY(read_evicting(txn, eviction));
  for (const Slice& slice : slices) {
    CO_TRY_ASSIGN(auto source, read_gen(txn, eviction.tenant, slice.source));
    if (!source || source->state != GenState::kLive || source->evicted || source->shape != GenShape::kRuns) continue;
    CO_TRY_ASSIGN(const bool alone, held_by_this_alone(eviction, txn, slice.source));
    if (!alone) continue;
    source->evicted = true;
    put_gen(txn, eviction.tenant, *source);
  }
  co_return Result<void>{};
}

/// One source: true when the batch may go on to the next slice.
Task<bool> clear_source(const Eviction& eviction, kv::Transaction& txn, GenId id, std::size_t& budget,
                        ClearBatch& batch) {
  CO_TRY_ASSIGN(auto source, read_gen(txn, eviction.tenant, id));
  if (!source || source->shape != GenShape::kRuns) co_return true;
  CO_TRY_ASSIGN(const bool alone, held_by_this_alone(eviction, txn, id));
  if (source->evicted && alone) {
    CO_TRY_ASSIGN(const bool done, clear_runs(eviction, txn, id, budget, batch));
    co_return done;
  }
  ++batch.kept_sources;
  batch.cursor.run_offset = 0;
  if (source->evicted) {  // an edge slipped in before the mark: its holder needs the bytes
    source->evicted = false;
    put_gen(txn, eviction.tenant, *source);
  }
  co_return true;
}

Task<ClearBatch> clear_sources_in(const Eviction& eviction, kv::Transaction& txn, const std::vector<Slice>& slices,
                                  ClearCursor from) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  ClearBatch batch{.cursor = from};
  CO_TRY(read_evicting(txn, eviction));
  std::size_t budget = kRunsPerBatchMax;
  for (const Slice& slice : slices) {
    batch.cursor.slice_offset = slice.offset;
    CO_TRY_ASSIGN(const bool next, clear_source(eviction, txn, slice.source, budget, batch));
    if (!next) co_return batch;
    batch.cursor.slice_offset = slice.offset + slice.length;
  }
  if (slices.size() < kSlicesPerBatch) batch.progress = Progress::kDone;
  co_return batch;
}

Task<ClearBatch> clear_own_in(const Eviction& eviction, kv::Transaction& txn, ClearCursor from) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  ClearBatch batch{.cursor = from};
  CO_TRY_ASSIGN(const Gen gen, read_evicting(txn, eviction));
  if (gen.shape == GenShape::kInline) {
    batch.progress = Progress::kDone;
    co_return batch;
  }
  std::size_t budget = kRunsPerBatchMax;
  CO_TRY_ASSIGN(const bool done, clear_runs(eviction, txn, gen.id, budget, batch));
  if (done) batch.progress = Progress::kDone;
  co_return batch;
}

}  // namespace

Task<Stamp> mark_evicted(Cell cell, TenantId tenant, GenId gen) {
  auto body = [&](kv::Transaction& txn) { return mark_in(cell, txn, tenant, gen); };
  co_return co_await transact(cell, body);
}

Task<ClearBatch> clear_local(Cell cell, TenantId tenant, GenId gen, Stamp token, ClearCursor cursor) {
  const Eviction eviction{cell, tenant, gen, token};
  std::vector<Slice> slices;
  GenShape shape = GenShape::kInline;
  {
    const auto snapshot = cell.engine.snapshot();
    CO_TRY_ASSIGN(const Gen row, read_live_gen(*snapshot, tenant, gen));
    shape = row.shape;
    const RowsFrom which{
        .tenant = tenant, .gen = gen, .offset = cursor.slice_offset, .end = kToTheEnd, .limit = kSlicesPerBatch};
    if (shape == GenShape::kSlices) {
      CO_TRY_ASSIGN(slices, slices_from(*snapshot, which));
    }
  }
  if (shape != GenShape::kSlices) {
    auto clear = [&](kv::Transaction& txn) { return clear_own_in(eviction, txn, cursor); };
    co_return co_await transact(cell, clear);
  }
  auto mark = [&](kv::Transaction& txn) { return mark_sources_in(eviction, txn, slices); };
  CO_TRY(transact(cell, mark));
  auto clear = [&](kv::Transaction& txn) { return clear_sources_in(eviction, txn, slices, cursor); };
  co_return co_await transact(cell, clear);
}

}  // namespace tombolo::meta
