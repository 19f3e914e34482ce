#include <algorithm>
#include <limits>

#include "meta/ops/gen_rows.h"
#include "meta/ops/gens.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kRowsMax = 1'000;

RowsFrom all_from(TenantId tenant, GenId gen, std::uint64_t offset, std::uint32_t limit) {
  return {.tenant = tenant,
          .gen = gen,
          .offset = offset,
          .end = std::numeric_limits<std::uint64_t>::max(),
          .limit = std::clamp<std::uint32_t>(limit, 1, kRowsMax)};
}

}  // namespace

Task<std::optional<Gen>> get_gen(Cell cell, TenantId tenant, GenId gen) {
  const auto snapshot = cell.engine.snapshot();
  co_return co_await read_gen(*snapshot, tenant, gen);
}

Task<std::vector<HolderId>> list_edges(Cell cell, TenantId tenant, GenId gen, std::uint32_t limit) {
  const auto snapshot = cell.engine.snapshot();
  const std::string prefix = keys::edges(tenant, gen);
  CO_TRY_ASSIGN(const auto page, read_prefix(*snapshot, prefix, prefix, std::clamp<std::uint32_t>(limit, 1, kRowsMax)));
  std::vector<HolderId> out;
  for (const kv::Row& row : page.rows) {
    CO_CHECK_ASSIGN(const auto ends, keys::ends_of_edge(row.key));
    out.push_back(ends.holder);
  }
  co_return out;
}

Task<std::vector<Run>> list_runs(Cell cell, TenantId tenant, GenId gen, std::uint64_t offset, std::uint32_t limit) {
  const auto snapshot = cell.engine.snapshot();
  const RowsFrom which = all_from(tenant, gen, offset, limit);
  co_return co_await runs_from(*snapshot, which);
}

Task<std::vector<Slice>> list_slices(Cell cell, TenantId tenant, GenId gen, std::uint64_t offset, std::uint32_t limit) {
  const auto snapshot = cell.engine.snapshot();
  const RowsFrom which = all_from(tenant, gen, offset, limit);
  co_return co_await slices_from(*snapshot, which);
}

}  // namespace tombolo::meta
