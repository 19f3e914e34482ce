#include "meta/ops/walk_rows.h"

#include "base/endian.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

constexpr std::size_t kTenantAt = 1, kContainerAt = 9, kPrefixBytes = 17;  // kv/tables.h: space, tenant, container

/// `decode` gives Result<Row> of one kv::Row.
template <class Row, class Decode>
Task<RowPage<Row>> walk(Cell cell, std::string prefix, std::string from, std::uint32_t limit, Decode decode) {
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(const auto page, read_prefix(*snapshot, prefix, from.empty() ? prefix : from, limit));
  co_return decoded_page<Row>(page, std::move(decode));
}

std::string table_of_tenant(kv::Table table, TenantId tenant) {
  return kv::table_prefix(table, tenant, ContainerId{0});
}

/// The first key at or behind `begin` in the data space.
Task<std::optional<std::string>> first_key(Cell cell, std::string begin) {
  const auto snapshot = cell.engine.snapshot();
  kv::RangeQuery query;
  query.begin = std::move(begin);
  query.end = kv::prefix_end(std::string(1, static_cast<char>(kv::Space::kData)));
  query.limit = 1;
  CO_TRY_ASSIGN(const auto page, snapshot->range(std::move(query)));
  if (page.rows.empty()) co_return std::optional<std::string>{};
  if (page.rows.front().key.size() < kPrefixBytes)
    co_return Error{Code::kCorrupt, "a key of the data space is too short"};
  co_return std::optional<std::string>(page.rows.front().key);
}

std::string data_prefix(std::uint64_t tenant, std::uint64_t container) {
  std::string prefix(1, static_cast<char>(kv::Space::kData));
  append_be64(prefix, tenant);
  append_be64(prefix, container);
  return prefix;
}

Result<Gen> gen_of(const kv::Row& row) {
  if (row.key.size() != kPrefixBytes + 1 + 8) return Error{Code::kCorrupt, "its key is no gen's"};
  return decode_gen(GenId{load_be64(row.key.data() + kPrefixBytes + 1)}, row.value);
}

Result<RunRow> run_of(const kv::Row& row) {
  TRY_ASSIGN(const auto at, keys::offset_of(row.key));
  TRY_ASSIGN(const Run run, decode_run(at.gen, at.offset, row.value));
  return RunRow{run.gen, run.offset, run.length, run.local};
}

Result<Edge> edge_of(const kv::Row& row) {
  TRY_ASSIGN(const auto ends, keys::ends_of_edge(row.key));
  return Edge{ends.gen, ends.holder};
}

Result<NativeKey> native_of(const kv::Row& row) {
  TRY_ASSIGN(auto named, keys::name_of_native(row.key));
  return decode_native_key(std::move(named.remote), std::move(named.key), row.value);
}

Result<std::optional<UploadBlock>> block_of(const kv::Row& row) {
  TRY_ASSIGN(auto id, keys::id_of_staged_block(row.key));
  if (!id.block_id) return std::optional<UploadBlock>{};  // the counter
  TRY_ASSIGN(StagedBlockRow block, decode_staged_block(*std::move(id.block_id), row.value));
  return std::optional<UploadBlock>(UploadBlock{id.upload, std::move(block)});
}

}  // namespace

Task<std::vector<TenantId>> list_data_tenants(Cell cell) {
  std::vector<TenantId> out;
  for (std::string begin = data_prefix(0, 0);;) {
    CO_TRY_ASSIGN(const auto key, first_key(cell, begin));
    if (!key) co_return out;
    const TenantId tenant{load_be64(key->data() + kTenantAt)};
    out.push_back(tenant);
    if (tenant.value == ~0ull) co_return out;
    begin = data_prefix(tenant.value + 1, 0);
  }
}

Task<std::vector<ContainerKey>> list_data_containers(Cell cell, TenantId tenant) {
  std::vector<ContainerKey> out;
  for (std::string begin = data_prefix(tenant.value, 1);;) {
    CO_TRY_ASSIGN(const auto key, first_key(cell, begin));
    if (!key || load_be64(key->data() + kTenantAt) != tenant.value) co_return out;
    const ContainerId container{load_be64(key->data() + kContainerAt)};
    out.push_back({tenant, container});
    if (container.value == ~0ull) co_return out;
    begin = data_prefix(tenant.value, container.value + 1);
  }
}

Task<RowPage<Gen>> walk_gens(Cell cell, TenantId tenant, std::string from, std::uint32_t limit) {
  return walk<Gen>(cell, table_of_tenant(kv::Table::kGens, tenant), std::move(from), limit, gen_of);
}

Task<RowPage<RunRow>> walk_runs(Cell cell, TenantId tenant, std::string from, std::uint32_t limit) {
  return walk<RunRow>(cell, table_of_tenant(kv::Table::kRuns, tenant), std::move(from), limit, run_of);
}

Task<RowPage<Edge>> walk_edges(Cell cell, TenantId tenant, std::string from, std::uint32_t limit) {
  return walk<Edge>(cell, table_of_tenant(kv::Table::kEdges, tenant), std::move(from), limit, edge_of);
}

Task<RowPage<NativeKey>> walk_native_keys(Cell cell, TenantId tenant, std::string from) {
  return walk<NativeKey>(cell, table_of_tenant(kv::Table::kNativeKeys, tenant), std::move(from), kWalkRows, native_of);
}

Task<RowPage<UploadBlock>> walk_upload_blocks(Cell cell, ContainerKey container, std::string from) {
  std::string prefix = kv::table_prefix(kv::Table::kUploadBlocks, container.tenant, container.id);
  CO_TRY_ASSIGN(auto page,
                walk<std::optional<UploadBlock>>(cell, std::move(prefix), std::move(from), kWalkRows, block_of));
  RowPage<UploadBlock> out;
  out.broken = std::move(page.broken);
  out.next = std::move(page.next);
  for (auto& block : page.rows) {
    if (block) out.rows.push_back(*std::move(block));
  }
  co_return out;
}

Task<RowPage<Candidate>> walk_candidates(Cell cell, std::string from) {
  return walk<Candidate>(cell, kv::table_prefix(kv::Table::kCandidates), std::move(from), kWalkRows, candidate_of);
}

Task<bool> has_edge(Cell cell, TenantId tenant, GenId gen, HolderId holder) {
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(const auto row, snapshot->get(keys::edge(tenant, gen, holder)));
  co_return row.has_value();
}

}  // namespace tombolo::meta
