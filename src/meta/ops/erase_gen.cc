#include <set>

#include "base/assert.h"
#include "base/planted_bugs.h"
#include "meta/ops/gens.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kRunsPerErase = 200;  // rows of up to 4 KiB are read, only their keys are written
constexpr std::uint32_t kSlicesPerErase = 1'000;

/// True when rows remain.
Task<bool> erase_runs(Cell cell, kv::Transaction& txn, TenantId tenant, GenId gen) {
  const std::string prefix = keys::runs(tenant, gen);
  CO_TRY_ASSIGN(const auto page, read_prefix(txn, prefix, prefix, kRunsPerErase));
  std::int64_t cold = 0;
  for (const kv::Row& row : page.rows) {
    CO_CHECK_ASSIGN(const auto at, keys::offset_of(row.key));
    CO_CHECK_ASSIGN(const Run run, decode_run(gen, at.offset, row.value));
    if (run.local) {
      cell.ledger.freed(txn, *run.local, run.length);
    } else {
      cold += static_cast<std::int64_t>(run.length);
    }
    txn.erase(row.key);
  }
  count_cold(txn, -cold);
  co_return page.more;
}

Task<bool> erase_slices(kv::Transaction& txn, TenantId tenant, GenId gen, Stamp now) {
  const std::string prefix = keys::slices(tenant, gen);
  CO_TRY_ASSIGN(const auto page, read_prefix(txn, prefix, prefix, kSlicesPerErase));
  std::set<GenId> sources;
  for (const kv::Row& row : page.rows) {
    CO_CHECK_ASSIGN(const Slice slice, decode_slice(0, row.value));
    sources.insert(slice.source);
    txn.erase(row.key);
  }
  for (const GenId source : sources) drop_edge(txn, tenant, source, HolderId{gen.value}, now);
  co_return page.more;
}

Task<void> release_native(kv::Transaction& txn, TenantId tenant, const Gen& gen, Stamp now) {
  CO_TRY_ASSIGN(auto native, read_native_key(txn, tenant, gen.native->remote, gen.native->key));
  if (!native || native->gen != gen.id) co_return Result<void>{};
  native->state = NativeState::kCondemned;
  native->changed = now;
  txn.put(keys::native_key(tenant, native->remote, native->key), encode(*native));
  queue_native(txn, tenant, *native, now);
  co_return Result<void>{};
}

Task<Erased> erase_in(Cell cell, kv::Transaction& txn, const Candidate& candidate, Stamp before) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  const TenantId tenant = candidate.tenant;
  CO_TRY_ASSIGN(auto gen, read_gen(txn, tenant, candidate.gen()));
  if (!gen) {
    txn.erase(keys::candidate(candidate));
    co_return Erased::kDone;
  }
  if (gen->state != GenState::kCondemned || gen->condemned_at > before) co_return Erased::kNotYet;
  const std::string edges = keys::edges(tenant, gen->id);
  CO_TRY_ASSIGN(const auto held, read_prefix(txn, edges, edges, 1));
  if (!held.rows.empty() && !planted(PlantedBug::erase_without_edges)) {
    gen->state = GenState::kLive;
    gen->condemned_at = {};
    put_gen(txn, tenant, *gen);
    txn.erase(keys::candidate(candidate));
    co_return Erased::kRevived;
  }
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  bool more = false;
  if (gen->shape == GenShape::kRuns) {
    CO_TRY_ASSIGN(more, erase_runs(cell, txn, tenant, gen->id));
  } else if (gen->shape == GenShape::kSlices) {
    CO_TRY_ASSIGN(more, erase_slices(txn, tenant, gen->id, now));
  }
  if (more) co_return Erased::kMore;
  if (gen->native) {
    CO_TRY(release_native(txn, tenant, *gen, now));
  }
  txn.erase(keys::gen(tenant, gen->id));
  txn.erase(keys::candidate(candidate));
  co_return Erased::kDone;
}

}  // namespace

Task<Erased> erase_gen(Cell cell, Candidate candidate, Stamp condemned_before) {
  ASSERT(candidate.kind == CandidateKind::kGen);
  auto body = [&](kv::Transaction& txn) { return erase_in(cell, txn, candidate, condemned_before); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
