#include <limits>
#include <set>

#include "base/assert.h"
#include "meta/ops/gen_rows.h"
#include "meta/ops/gens.h"
#include "meta/ops/run_rows.h"
#include "meta/ops/tier.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kSlicesPerBatch = 500;
constexpr std::uint32_t kRunsPerLook = 200;
constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();

Task<Stamp> begin_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId id) {
  CO_TRY_ASSIGN(Gen gen, read_live_gen(txn, tenant, id));
  CO_TRY_ASSIGN(const Stamp token, cell.stamper.next());
  gen.tier_stamp = token;
  put_gen(txn, tenant, gen);
  co_return token;
}

Task<Gen> read_recalling(kv::Snapshot& from, TenantId tenant, GenId id, Stamp token) {
  CO_TRY_ASSIGN(Gen gen, read_live_gen(from, tenant, id));
  if (gen.tier_stamp != token) co_return gen_moved();
  co_return gen;
}

Task<std::size_t> fill_in(Cell cell, kv::Transaction& txn, TenantId tenant, GenId id, Stamp token,
                          const std::vector<FilledRun>& filled) {
  CO_TRY(read_recalling(txn, tenant, id, token));
  std::vector<Run> wanted;
  for (const FilledRun& run : filled) wanted.push_back({.gen = run.gen, .offset = run.offset});
  CO_TRY_ASSIGN(auto rows, reread_runs(txn, tenant, wanted));
  std::size_t count = 0;
  std::int64_t warmed = 0;
  // A block that stands twice in an object is filled twice, and the rows were read before either.
  std::set<std::pair<GenId, std::uint64_t>> seen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& row = rows[i];
    if (!row || row->local || !seen.emplace(row->gen, row->offset).second) continue;
    row->local = filled[i].place;
    cell.ledger.placed(txn, *row->local, row->length);
    txn.put(keys::run(tenant, row->gen, row->offset), encode(*row));
    warmed += static_cast<std::int64_t>(row->length);
    ++count;
  }
  count_cold(txn, -warmed);
  co_return count;
}

struct Recalled {
  TenantId tenant;
  GenId gen;
  Stamp token;
};

/// All runs of `of`, which is the recalled gen or a source of it. Who clears places has a token of its own, which voids
/// ours.
Task<void> require_local(Cell cell, Recalled recalled, GenId of) {
  const auto snapshot = cell.engine.snapshot();
  CO_TRY(read_recalling(*snapshot, recalled.tenant, recalled.gen, recalled.token));
  std::uint64_t offset = 0;
  while (true) {
    const RowsFrom which{
        .tenant = recalled.tenant, .gen = of, .offset = offset, .end = kToTheEnd, .limit = kRunsPerLook};
    CO_TRY_ASSIGN(const auto runs, runs_from(*snapshot, which));
    for (const Run& run : runs) {
      if (!run.local) {
        co_return Error{Code::kConditionFailed, "a run has not come back yet: fill it first", "RunsMissing"};
      }
      offset = run.offset + run.length;
    }
    if (runs.size() < kRunsPerLook) co_return Result<void>{};
  }
}

Task<void> unmark_in(kv::Transaction& txn, TenantId tenant, GenId id, Stamp token, const std::vector<GenId>& which) {
  CO_TRY(read_recalling(txn, tenant, id, token));
  for (const GenId each : which) {
    CO_TRY_ASSIGN(auto row, read_gen(txn, tenant, each));
    if (!row || !row->evicted) continue;
    row->evicted = false;
    put_gen(txn, tenant, *row);
  }
  co_return Result<void>{};
}

Task<void> unmark(Cell cell, TenantId tenant, GenId id, Stamp token, std::vector<GenId> which) {
  auto body = [&](kv::Transaction& txn) { return unmark_in(txn, tenant, id, token, which); };
  co_return co_await transact(cell, body);
}

Task<void> finish_sources(Cell cell, Recalled recalled) {
  const auto [tenant, gen, token] = recalled;
  std::uint64_t offset = 0;
  while (true) {
    CO_TRY_ASSIGN(const auto slices, list_slices(cell, tenant, gen, offset, kSlicesPerBatch));
    std::vector<GenId> sources;
    for (const Slice& slice : slices) {
      CO_TRY(require_local(cell, recalled, slice.source));
      sources.push_back(slice.source);
      offset = slice.offset + slice.length;
    }
    CO_TRY(unmark(cell, tenant, gen, token, std::move(sources)));
    if (slices.size() < kSlicesPerBatch) co_return Result<void>{};
  }
}

}  // namespace

Task<Stamp> begin_recall(Cell cell, TenantId tenant, GenId gen) {
  auto body = [&](kv::Transaction& txn) { return begin_in(cell, txn, tenant, gen); };
  co_return co_await transact(cell, body);
}

Task<std::size_t> fill_local(Cell cell, TenantId tenant, GenId gen, Stamp token, std::vector<FilledRun> runs) {
  ASSERT(runs.size() <= kRunsPerBatchMax);
  auto body = [&](kv::Transaction& txn) { return fill_in(cell, txn, tenant, gen, token, runs); };
  co_return co_await transact(cell, body);
}

Task<void> finish_recall(Cell cell, TenantId tenant, GenId gen, Stamp token) {
  const Recalled recalled{tenant, gen, token};
  CO_TRY(require_local(cell, recalled, gen));
  CO_TRY(finish_sources(cell, recalled));
  std::vector<GenId> self{gen};
  CO_TRY(unmark(cell, tenant, gen, token, std::move(self)));
  co_return Result<void>{};
}

}  // namespace tombolo::meta
