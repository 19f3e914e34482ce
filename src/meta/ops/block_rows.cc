#include "meta/ops/block_rows.h"

namespace tombolo::meta {
namespace {

constexpr std::uint32_t kPageRows = 5'000;

}  // namespace

Task<std::vector<StagedBlockRow>> read_staged_blocks(kv::Snapshot& from, ContainerKey container, UploadId upload) {
  const std::string prefix = keys::staged_blocks(container, upload);
  std::string begin = prefix;
  std::vector<StagedBlockRow> out;
  while (true) {
    CO_TRY_ASSIGN(const auto page, read_prefix(from, prefix, begin, kPageRows));
    for (const kv::Row& row : page.rows) {
      CO_CHECK_ASSIGN(const auto id, keys::id_of_staged_block(row.key));
      CO_CHECK_ASSIGN(StagedBlockRow block, decode_staged_block(id.block_id.value_or(""), row.value));
      out.push_back(std::move(block));
    }
    if (!page.more) co_return out;
    begin = page.rows.back().key + '\0';
  }
}

Task<std::vector<Slice>> read_committed_blocks(kv::Snapshot& from, TenantId tenant, GenId gen) {
  const std::string prefix = keys::slices(tenant, gen);
  std::string begin = prefix;
  std::vector<Slice> out;
  while (true) {
    CO_TRY_ASSIGN(const auto page, read_prefix(from, prefix, begin, kPageRows));
    for (const kv::Row& row : page.rows) {
      CO_CHECK_ASSIGN(const auto at, keys::offset_of(row.key));
      CO_CHECK_ASSIGN(Slice slice, decode_slice(at.offset, row.value));
      out.push_back(std::move(slice));
    }
    if (!page.more) co_return out;
    begin = page.rows.back().key + '\0';
  }
}

}  // namespace tombolo::meta
