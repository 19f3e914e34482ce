#include <algorithm>
#include <map>
#include <span>

#include "base/assert.h"
#include "base/planted_bugs.h"
#include "meta/ops/gens.h"
#include "meta/ops/parts.h"
#include "meta/ops/uploads.h"

namespace tombolo::meta {
namespace {

constexpr std::size_t kSlicesPerBatch = 1'500;  // a row and at most an edge each: 3,000 rows, about 250 KiB

// Every source must be live and keep its local bytes, or the slice would refer to nothing. The edges are puts that
// read row i with conflict: a condemnation or an eviction that begins meanwhile makes this run again and see it.
Task<void> check_sources(kv::Transaction& txn, TenantId tenant, std::span<const Slice> slices) {
  std::map<GenId, std::string> sources;
  for (const Slice& slice : slices) sources.emplace(slice.source, keys::gen(tenant, slice.source));
  std::vector<std::string> rows;
  for (const auto& [id, key] : sources) rows.push_back(key);
  CO_TRY_ASSIGN(const auto values, txn.multi_get(std::move(rows)));
  std::size_t i = 0;
  for (const auto& [id, key] : sources) {
    const auto& value = values[i++];
    if (!value) co_return gen_condemned();
    CO_CHECK_ASSIGN(const Gen source, decode_gen(id, *value));
    if (source.state != GenState::kLive) co_return gen_condemned();
    ASSERT(source.shape != GenShape::kSlices);
    if (source.evicted) {
      co_return Error{Code::kBusy, "blocks of the object are not local now; recall it first", "SourceEvicted"};
    }
  }
  co_return Result<void>{};
}

Task<void> write_in(kv::Transaction& txn, TenantId tenant, GenId gen, std::span<const Slice> slices) {
  CO_TRY_ASSIGN(const auto row, read_gen(txn, tenant, gen));
  if (!row || row->state != GenState::kStaging) co_return gen_condemned();
  CO_TRY(check_sources(txn, tenant, slices));
  for (const Slice& slice : slices) {
    txn.put(keys::slice(tenant, gen, slice.offset), encode(slice));
    if (planted(PlantedBug::lose_edge_on_self_copy)) continue;
    txn.put(keys::edge(tenant, slice.source, HolderId{gen.value}), encode_edge());
  }
  co_return Result<void>{};
}

}  // namespace

Task<void> write_slices(Cell cell, TenantId tenant, GenId gen, ResolvedBlocks blocks) {
  CO_TRY(create_gen(cell, tenant, gen, GenShape::kSlices));
  // An empty piece has no bytes to read and would share its offset with the next one: it needs no row.
  std::erase_if(blocks.slices, [](const Slice& slice) { return slice.length == 0; });
  const std::span<const Slice> all(blocks.slices);
  for (std::size_t at = 0; at < all.size(); at += kSlicesPerBatch) {
    const auto batch = all.subspan(at, std::min(kSlicesPerBatch, all.size() - at));
    auto body = [&](kv::Transaction& txn) { return write_in(txn, tenant, gen, batch); };
    CO_TRY(transact(cell, body));
  }
  co_return Result<void>{};
}

}  // namespace tombolo::meta
