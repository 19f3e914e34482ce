#include "base/planted_bugs.h"
#include "meta/model/stamp_rules.h"
#include "meta/ops/objects.h"
#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Result<void> check_seal(const Cell& cell, const PublishObject& request, const std::optional<UploadHead>& head) {
  if (!request.seal) {
    if (head && seal_holds(cell, *head)) return upload_sealed();
    return {};
  }
  const bool sealed = head && (seal_holds(cell, *head) || planted(PlantedBug::commit_without_seal));
  const bool ours = sealed && head->id == request.seal->upload && head->seal_id == request.seal->seal_id;
  if (!ours) return Error{Code::kBusy, "the commit took too long and lost its place; send it again", "SealLost"};
  return {};
}

Task<Object> publish_in(Cell cell, kv::Transaction& txn, const PublishObject& request, HolderId holder,
                        ObjectId fresh) {
  const ContainerKey key = request.container;
  CO_TRY(enter_container(txn, key));
  CO_TRY_ASSIGN(const auto head, read_head(txn, key, request.name));
  CO_CHECK(check_seal(cell, request, head));
  CO_TRY_ASSIGN(const auto before, read_object(txn, key, request.name));
  CO_CHECK(must_pass(request.conditions, before ? std::optional(before->etag_stamp) : std::nullopt));
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());

  const Gen& gen = request.gen.gen;
  Object object;
  object.name = request.name;
  object.id = before ? before->id : fresh;
  object.holder = holder;
  object.gen = gen.id;
  object.kind = request.kind;
  object.length = gen.length;
  object.crc64 = gen.crc64;
  object.headers = request.headers;
  object.metadata = request.metadata;
  move_stamps(object, request.seal ? Change::kCommitBlockList : Change::kPutObject, now);

  CO_TRY(install_gen(cell, txn, key.tenant, request.gen, holder, now));
  if (before) drop_edge(txn, key.tenant, before->gen, before->holder, now);
  if (head) drop_upload(txn, key, request.name, *head, now);
  txn.put(keys::object(key, request.name), encode(object));
  write_object_feed(cell, txn, FeedKind::kObjectCreated, key, object, now);
  const std::uint64_t bytes_before = before && !planted(PlantedBug::drop_usage) ? before->length : 0;
  count_usage(txn, key, object.id, before ? 0 : 1,
              static_cast<std::int64_t>(object.length) - static_cast<std::int64_t>(bytes_before));
  co_return object;
}

}  // namespace

Task<Object> publish_object(Cell cell, PublishObject request) {
  CO_CHECK(keys::check_name(request.name));
  CO_CHECK(check_metadata(request.metadata));
  if (request.gen.gen.length > kObjectBytesMax) co_return Error{Code::kTooLarge, "the object is over its limit"};
  CO_TRY_ASSIGN(const HolderId holder, cell.ids.next_id<HolderId>());
  CO_TRY_ASSIGN(const ObjectId fresh, cell.ids.next_id<ObjectId>());
  auto body = [&](kv::Transaction& txn) { return publish_in(cell, txn, request, holder, fresh); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
