#include <unordered_map>

#include "base/crc64.h"
#include "meta/ops/block_rows.h"
#include "meta/ops/uploads.h"

namespace tombolo::meta {
namespace {

// Offsets are set when a list is put together.
using BlocksById = std::unordered_map<std::string, Slice>;

Slice whole_gen(const StagedBlockRow& block) {
  Slice slice;
  slice.source = block.gen;
  slice.length = block.length;
  slice.crc64 = block.crc64;
  slice.block_id = block.block_id;
  return slice;
}

const Slice* find(const BlocksById& blocks, const std::string& id) {
  const auto at = blocks.find(id);
  return at == blocks.end() ? nullptr : &at->second;
}

const Slice* choose(const BlockChoice& choice, const BlocksById& committed, const BlocksById& staged) {
  switch (choice.source) {
    case BlockSource::kCommitted:
      return find(committed, choice.block_id);
    case BlockSource::kUncommitted:
      return find(staged, choice.block_id);
    case BlockSource::kLatest: {
      const Slice* newer = find(staged, choice.block_id);
      return newer != nullptr ? newer : find(committed, choice.block_id);
    }
  }
  return nullptr;
}

Result<ResolvedBlocks> put_together(const std::vector<BlockChoice>& choices, const BlocksById& committed,
                                    const BlocksById& staged) {
  ResolvedBlocks out;
  out.slices.reserve(choices.size());
  for (const BlockChoice& choice : choices) {
    const Slice* found = choose(choice, committed, staged);
    if (found == nullptr) {
      return Error{Code::kInvalid, "the block list names a block that is not there", "InvalidBlockList"};
    }
    if (found->length > kObjectBytesMax - out.length) return Error{Code::kTooLarge, "the object is over its limit"};
    Slice slice = *found;
    slice.offset = out.length;
    out.crc64 = crc64_combine(out.crc64, slice.crc64, slice.length);
    out.length += slice.length;
    out.slices.push_back(std::move(slice));
  }
  return out;
}

}  // namespace

Task<ResolvedBlocks> resolve_blocks(Cell cell, UploadSeal seal, std::vector<BlockChoice> choices) {
  if (choices.size() > kBlocksPerObjectMax) {
    co_return Error{Code::kInvalid, "a block list has at most 50,000 blocks", "BlockListTooLong"};
  }
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(const auto head, read_head(*snapshot, seal.container, seal.name));
  if (!head || head->id != seal.upload || head->seal_id != seal.seal_id) {
    co_return Error{Code::kBusy, "the commit took too long and lost its place; send it again", "SealLost"};
  }
  BlocksById committed, staged;
  CO_TRY_ASSIGN(const auto object, read_object(*snapshot, seal.container, seal.name));
  if (object) {
    CO_TRY_ASSIGN(auto slices, read_committed_blocks(*snapshot, seal.container.tenant, object->gen));
    for (Slice& slice : slices) {
      if (!slice.block_id.empty()) committed.emplace(slice.block_id, std::move(slice));
    }
  }
  CO_TRY_ASSIGN(const auto blocks, read_staged_blocks(*snapshot, seal.container, seal.upload));
  for (const StagedBlockRow& block : blocks) staged.emplace(block.block_id, whole_gen(block));
  co_return put_together(choices, committed, staged);
}

}  // namespace tombolo::meta
