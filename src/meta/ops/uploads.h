// Uploads: staged blocks, and how a block list becomes an object (core.md §4). One .cc per operation.
//
// A commit is: seal_upload → resolve_blocks → write_slices (or none, for an empty list) → publish_object with the seal.
// When any step behind the seal fails: unseal_upload. While sealed, staging, put, delete, expiry and other commits of
// the name answer kBusy "UploadSealed"; they read the head with conflict.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meta/cell.h"
#include "meta/model/container.h"
#include "meta/model/gen.h"
#include "meta/model/object.h"
#include "meta/model/upload.h"
#include "meta/ops/new_gen.h"

namespace tombolo::meta {

struct PublishBlock {
  ContainerKey container;
  std::string name;
  std::string block_id;  // raw, 1 … kBlockIdBytesMax
  NewGen gen;
};
/// Makes the gen a staged block; makes the head where there is none. The same id again replaces the block. kInvalid
/// "InvalidBlobOrBlock" when the length of ids differs, kTooLarge "BlockCountExceedsLimit" past kUncommittedBlocksMax
/// (exact but for blocks staged at the same moment), kBusy "UploadSealed", kNotFound "ContainerNotFound",
/// kInvalid "InvalidResourceName", kUnavailable "GenCondemned".
Task<void> publish_block(Cell cell, PublishBlock request);

/// Also seals a name without staged blocks, so that commits of one name take turns. In force while a copy of what it
/// gives lives. kBusy "UploadSealed".
Task<UploadSeal> seal_upload(Cell cell, ContainerKey container, std::string name);
/// Gives the upload back as it was. A seal no longer in force is no error.
Task<void> unseal_upload(Cell cell, UploadSeal seal);

struct ResolvedBlocks {
  std::vector<Slice> slices;  // offsets 0, …, contiguous; sources are gens with runs or inline bytes, never slices
  std::uint64_t length = 0;
  std::uint64_t crc64 = 0;
};
/// Against the sealed upload and the current record. kInvalid "InvalidBlockList" when a block is not there, kInvalid
/// "BlockListTooLong" past kBlocksPerObjectMax, kTooLarge past kObjectBytesMax.
Task<ResolvedBlocks> resolve_blocks(Cell cell, UploadSeal seal, std::vector<BlockChoice> choices);

/// Writes the intent of gen `gen` (shape kSlices) and all slices with an edge per source, in bounded transactions.
/// kBusy "SourceEvicted" when a source's bytes are (being) evicted: recall the object first; kUnavailable
/// "GenCondemned" when a source died. `gen` must be new; on an error leave it: garbage collection finds it.
Task<void> write_slices(Cell cell, TenantId tenant, GenId gen, ResolvedBlocks blocks);

struct BlockInfo {
  std::string block_id;
  std::uint64_t length = 0;
};
struct BlockListing {
  std::optional<Object> object;
  std::vector<BlockInfo> committed;    // in the order of the object
  std::vector<BlockInfo> uncommitted;  // in the order of block ids
};
/// One snapshot. kNotFound "BlobNotFound" when neither an object nor staged blocks exist, "ContainerNotFound".
Task<BlockListing> list_blocks(Cell cell, ContainerKey container, std::string name);

struct UploadEntry {
  std::string name;
  UploadHead head;
};
/// Heads of a container in name order, at most `limit`, names after `start_after`.
Task<std::vector<UploadEntry>> list_uploads(Cell cell, ContainerKey container, std::string start_after,
                                            std::uint32_t limit);
/// Drops the upload when it is still `upload` and was not touched since `idle_since`; true when it went. Its blocks are
/// purged later. kBusy "UploadSealed".
Task<bool> expire_upload(Cell cell, ContainerKey container, std::string name, UploadId upload, Stamp idle_since);

}  // namespace tombolo::meta
