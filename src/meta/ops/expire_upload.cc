#include <algorithm>

#include "meta/ops/parts.h"
#include "meta/ops/uploads.h"

namespace tombolo::meta {
namespace {

Task<bool> expire_in(Cell cell, kv::Transaction& txn, ContainerKey key, const std::string& name, UploadId upload,
                     Stamp idle_since) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY(enter_container(txn, key));
  CO_TRY_ASSIGN(const auto head, read_head(txn, key, name));
  if (!head || head->id != upload || head->touched > idle_since) co_return false;
  if (seal_holds(cell, *head)) co_return upload_sealed();
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  drop_upload(txn, key, name, *head, now);
  co_return true;
}

}  // namespace

Task<std::vector<UploadEntry>> list_uploads(Cell cell, ContainerKey container, std::string start_after,
                                            std::uint32_t limit) {
  const auto snapshot = cell.engine.snapshot();
  const std::string prefix = keys::upload_heads(container, {});
  std::string begin = prefix;
  if (!start_after.empty()) begin = keys::upload_heads(container, start_after) + std::string("\0\x01", 2);
  CO_TRY_ASSIGN(const auto page, read_prefix(*snapshot, prefix, begin, std::clamp<std::uint32_t>(limit, 1, 5'000)));
  std::vector<UploadEntry> out;
  for (const kv::Row& row : page.rows) {
    CO_CHECK_ASSIGN(auto named, keys::name_of_upload_head(row.key));
    CO_CHECK_ASSIGN(const UploadHead head, decode_upload_head(row.value));
    out.push_back({std::move(named.name), head});
  }
  co_return out;
}

Task<bool> expire_upload(Cell cell, ContainerKey container, std::string name, UploadId upload, Stamp idle_since) {
  auto body = [&](kv::Transaction& txn) { return expire_in(cell, txn, container, name, upload, idle_since); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
