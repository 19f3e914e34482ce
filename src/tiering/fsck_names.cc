// Objects and staged blocks: what they name is there and is what they say.
#include <fmt/format.h>

#include "base/encoding.h"
#include "meta/ops/containers.h"
#include "meta/ops/gens.h"
#include "meta/ops/objects.h"
#include "meta/ops/walk_rows.h"
#include "tiering/fsck_check.h"

namespace tombolo::tiering {
namespace {

Task<std::string> words_for(Checking& checking, meta::ContainerKey key, const std::string& name) {
  CO_TRY_ASSIGN(const auto container, meta::find_container(checking.services.cell, key));
  const std::string box = container ? container->account + "/" + container->name
                                    : fmt::format("container {:016x}, which has no row", key.id.value);
  co_return fmt::format("{}/{}", box, name);
}

constexpr const char* kRestore = "the object cannot be read whole: write it again, or delete it";

}  // namespace

Task<Findings> check_object(Checking& checking, meta::ContainerKey container, std::string name) {
  const meta::Cell cell = checking.services.cell;
  Findings out;
  const auto object = co_await meta::get_object(cell, container, name);
  if (!object.ok() && object.error().code == Code::kNotFound) co_return out;  // deleted meanwhile
  if (!object.ok() && object.error().code != Code::kCorrupt) co_return object.error();
  CO_TRY_ASSIGN(const std::string what, words_for(checking, container, name));
  if (!object.ok()) {
    out.push_back({"row-broken", what + ": " + object.error().message, kRestore});
    co_return out;
  }
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(cell, container.tenant, object->gen));
  if (!gen || gen->state == meta::GenState::kStaging) {
    out.push_back(
        {"name-without-gen",
         fmt::format("{} names gen {}, which {}", what, object->gen.value, gen ? "was never finished" : "is not there"),
         kRestore});
    co_return out;
  }
  CO_TRY_ASSIGN(const bool held, meta::has_edge(cell, container.tenant, object->gen, object->holder));
  if (!held) {
    out.push_back({"name-without-edge", fmt::format("{} names gen {} and does not hold it", what, object->gen.value),
                   "its bytes may be taken for garbage: copy the object to another name now"});
  }
  if (gen->length != object->length || gen->crc64 != object->crc64) {
    out.push_back({"name-differs",
                   fmt::format("{} says {} bytes, CRC64 {:016x}; gen {} says {} bytes, CRC64 {:016x}", what,
                               object->length, object->crc64, gen->id.value, gen->length, gen->crc64),
                   kRestore});
  }
  co_return out;
}

Task<Findings> check_block(Checking& checking, meta::ContainerKey container, UploadId upload, std::string block_id) {
  const meta::Cell cell = checking.services.cell;
  Findings out;
  // The row anew: it may be gone by now.
  std::string from;
  std::optional<meta::StagedBlockRow> row;
  do {
    CO_TRY_ASSIGN(auto page, meta::walk_upload_blocks(cell, container, from));
    for (meta::UploadBlock& block : page.rows) {
      if (block.upload == upload && block.block.block_id == block_id) row = std::move(block.block);
    }
    from = page.next;
  } while (!row && !from.empty());
  if (!row) co_return out;
  CO_TRY_ASSIGN(const std::string where, words_for(checking, container, {}));
  const std::string what =
      fmt::format("{}: staged block {} of upload {}", where, base64_encode(as_bytes(block_id)), upload.value);
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(cell, container.tenant, row->gen));
  CO_TRY_ASSIGN(const bool held, meta::has_edge(cell, container.tenant, row->gen, HolderId{upload.value}));
  if (!gen || !held) {
    out.push_back({"block-without-gen",
                   fmt::format("{} names gen {}, {}", what, row->gen.value,
                               gen ? "which it does not hold" : "which is not there"),
                   "stage the block again before committing it"});
  }
  co_return out;
}

}  // namespace tombolo::tiering
