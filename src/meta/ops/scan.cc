#include "meta/ops/scan.h"

#include <algorithm>

#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Task<std::vector<kv::Row>> page_of(Cell cell, kv::Table table, TenantId tenant, std::string after,
                                   std::uint32_t limit) {
  const auto snapshot = cell.engine.snapshot();
  const std::string prefix = kv::table_prefix(table, tenant, ContainerId{});
  std::string begin = after.empty() ? prefix : after + '\0';
  CO_TRY_ASSIGN(auto page,
                read_prefix(*snapshot, prefix, std::move(begin), std::clamp<std::uint32_t>(limit, 1, 1'000)));
  co_return std::move(page.rows);
}

}  // namespace

Task<std::vector<Gen>> scan_gens(Cell cell, TenantId tenant, GenId after, std::uint32_t limit) {
  std::string key = after ? keys::gen(tenant, after) : std::string{};
  CO_TRY_ASSIGN(const auto rows, page_of(cell, kv::Table::kGens, tenant, std::move(key), limit));
  std::vector<Gen> out;
  for (const kv::Row& row : rows) {
    CO_CHECK_ASSIGN(const GenId id, keys::id_of_gen(row.key));
    CO_CHECK_ASSIGN(Gen gen, decode_gen(id, row.value));
    out.push_back(std::move(gen));
  }
  co_return out;
}

Task<std::vector<keys::EdgeEnds>> scan_edges(Cell cell, TenantId tenant, keys::EdgeEnds after, std::uint32_t limit) {
  std::string key = after.gen ? keys::edge(tenant, after.gen, after.holder) : std::string{};
  CO_TRY_ASSIGN(const auto rows, page_of(cell, kv::Table::kEdges, tenant, std::move(key), limit));
  std::vector<keys::EdgeEnds> out;
  for (const kv::Row& row : rows) {
    CO_CHECK_ASSIGN(const keys::EdgeEnds ends, keys::ends_of_edge(row.key));
    out.push_back(ends);
  }
  co_return out;
}

Task<std::vector<Run>> scan_runs(Cell cell, TenantId tenant, std::optional<RunsAfter> after, std::uint32_t limit) {
  std::string key = after ? keys::run(tenant, after->gen, after->offset) : std::string{};
  CO_TRY_ASSIGN(const auto rows, page_of(cell, kv::Table::kRuns, tenant, std::move(key), limit));
  std::vector<Run> out;
  for (const kv::Row& row : rows) {
    CO_CHECK_ASSIGN(const auto at, keys::offset_of(row.key));
    CO_CHECK_ASSIGN(Run run, decode_run(at.gen, at.offset, row.value));
    out.push_back(std::move(run));
  }
  co_return out;
}

}  // namespace tombolo::meta
