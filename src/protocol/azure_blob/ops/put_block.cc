#include "base/encoding.h"
#include "meta/model/gen.h"
#include "protocol/azure_blob/block_list_xml.h"
#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/structured_body.h"

namespace tombolo::azure_blob {
namespace {

Result<store::StageBlock> parse(const Call& call, Content& content) {
  store::StageBlock request;
  const std::optional<std::string_view> id = call.query.get("blockid");
  if (!id) return refuse(codes::kMissingRequiredQueryParameter, "blockid is missing.");
  // Azure tells of a value that is no base64 as of any parameter's (wp-media/backwpup#72, apache/jclouds#208), not as
  // of a block id, as it does in a block list.
  if (!base64_decode(*id)) return refuse(codes::kInvalidQueryParameterValue, "blockid is not a valid base64 string.");
  TRY_ASSIGN(request.block_id, parse_block_id(*id));
  TRY_ASSIGN(content, request_content(call.head, call.body, meta::kBlockBytesMax));
  request.length = content.length;
  if (request.length == 0) return refuse(codes::kInvalidHeaderValue, "A block has at least one byte.");
  TRY_ASSIGN(request.expected, parse_expected_digests(call.head.headers));
  request.body = content.source;
  return request;
}

}  // namespace

Task<Reply> put_block(const Call& call) {
  Content content;
  CO_CHECK_ASSIGN(store::StageBlock request, parse(call, content));
  CO_TRY_ASSIGN(const store::StagedBlock staged, call.store.stage_block(call.object(), std::move(request)));
  Reply reply;
  reply.status = 201;
  reply.headers.add("x-ms-content-crc64", crc64_text(staged.crc64));
  if (staged.md5) reply.headers.add("Content-MD5", md5_text(*staged.md5));
  reply.headers.add("x-ms-request-server-encrypted", kServerEncrypted);
  if (content.decoder) reply.headers.add("x-ms-structured-body", kStructuredBody);
  co_return reply;
}

}  // namespace tombolo::azure_blob
