#include "base/assert.h"
#include "base/endian.h"
#include "meta/ops/parts.h"
#include "meta/ops/uploads.h"

namespace tombolo::meta {
namespace {

/// The head as this staging leaves it; writes it where that differs from what is there.
Task<UploadHead> join_upload(Cell cell, kv::Transaction& txn, const PublishBlock& request, UploadId fresh, Stamp now) {
  CO_TRY_ASSIGN(const auto there, read_head(txn, request.container, request.name));
  if (there && seal_holds(cell, *there)) co_return upload_sealed();
  const auto id_length = static_cast<std::uint32_t>(request.block_id.size());
  UploadHead head = there.value_or(UploadHead{.id = fresh, .created = now});
  if (head.block_id_length != 0 && head.block_id_length != id_length) {
    co_return Error{Code::kInvalid, "the ids of the blocks of one object must have the same length",
                    "InvalidBlobOrBlock"};
  }
  const bool stale = now.micros - head.touched.micros > kUploadTouchMicros;
  if (head.block_id_length != 0 && head.state == UploadState::kOpen && !stale) co_return head;
  head.state = UploadState::kOpen;  // a seal that does not hold is void
  head.block_id_length = id_length;
  head.touched = now;
  txn.put(keys::upload_head(request.container, request.name), encode(head));
  co_return head;
}

Task<void> count_block(kv::Transaction& txn, ContainerKey container, UploadId upload) {
  const std::string key = keys::staged_block_count(container, upload);
  CO_TRY_ASSIGN(const auto counter, txn.peek(key));
  if (counter && counter->size() != 8) co_return Error{Code::kCorrupt, "a block counter is not 8 bytes long"};
  if (counter && load_le<std::int64_t>(counter->data()) >= std::int64_t{kUncommittedBlocksMax}) {
    co_return Error{Code::kTooLarge, "too many uncommitted blocks", "BlockCountExceedsLimit"};
  }
  txn.add(key, 1);
  co_return Result<void>{};
}

Task<void> publish_in(Cell cell, kv::Transaction& txn, const PublishBlock& request, UploadId fresh) {
  const ContainerKey key = request.container;
  CO_TRY(enter_container(txn, key));
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  CO_TRY_ASSIGN(const UploadHead head, join_upload(cell, txn, request, fresh, now));
  const HolderId holder{head.id.value};
  const std::string block_key = keys::staged_block(key, head.id, request.block_id);
  CO_TRY_ASSIGN(const auto there, txn.get(block_key));
  if (there) {
    CO_CHECK_ASSIGN(const StagedBlockRow before, decode_staged_block(request.block_id, *there));
    drop_edge(txn, key.tenant, before.gen, holder, now);
  } else {
    CO_TRY(count_block(txn, key, head.id));
  }
  CO_TRY(install_gen(cell, txn, key.tenant, request.gen, holder, now));
  StagedBlockRow block;
  block.gen = request.gen.gen.id;
  block.length = request.gen.gen.length;
  block.crc64 = request.gen.gen.crc64;
  block.staged = now;
  txn.put(block_key, encode(block));
  co_return Result<void>{};
}

}  // namespace

Task<void> publish_block(Cell cell, PublishBlock request) {
  CO_CHECK(keys::check_name(request.name));
  if (request.block_id.empty() || request.block_id.size() > kBlockIdBytesMax) {
    co_return Error{Code::kInvalid, "a block id has 1 to 64 bytes", "InvalidBlockId"};
  }
  if (request.gen.gen.length > kBlockBytesMax) co_return Error{Code::kTooLarge, "the block is over its limit"};
  ASSERT(request.gen.gen.shape != GenShape::kSlices);  // slices refer to staged gens, and nest once
  CO_TRY_ASSIGN(const UploadId fresh, cell.ids.next_id<UploadId>());
  auto body = [&](kv::Transaction& txn) { return publish_in(cell, txn, request, fresh); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
