#include <fmt/format.h>

#include "base/ascii.h"
#include "base/units.h"
#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/metadata.h"
#include "protocol/azure_blob/object_headers.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/structured_body.h"
#include "protocol/azure_blob/write_reply.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::uint64_t kPutBlobBytesMax = 5'000 * kMiB;

Result<void> check_type(const http::Headers& headers) {
  TRY_ASSIGN(const std::optional<std::string_view> type, only(headers, "x-ms-blob-type"));
  if (!type) return refuse(codes::kMissingRequiredHeader, "x-ms-blob-type is missing.");
  if (equal_ignoring_case(*type, "BlockBlob")) return {};
  if (equal_ignoring_case(*type, "AppendBlob") || equal_ignoring_case(*type, "PageBlob")) {
    return refuse(codes::kBlobTypeNotSupported, fmt::format("{} is not built yet; BlockBlob is.", *type));
  }
  return refuse(codes::kInvalidHeaderValue, "x-ms-blob-type must be BlockBlob.");
}

Result<store::PutObject> parse(const Call& call, Content& content) {
  const http::Headers& headers = call.head.headers;
  store::PutObject request;
  TRY(check_type(headers));
  TRY_ASSIGN(content, request_content(call.head, call.body, kPutBlobBytesMax));
  request.length = content.length;
  TRY_ASSIGN(request.headers, parse_new_object_headers(headers, PlainHeaders::kFallBack));
  TRY_ASSIGN(request.metadata, parse_metadata(headers));
  TRY_ASSIGN(request.expected, parse_expected_digests(headers));
  // Where the body is the whole blob, the MD5 to be kept is what the client promises of it, before Content-MD5
  // (Azure/azure-storage-ruby#64, Azure/Azurite#2644).
  if (request.headers.content_md5) {
    if (request.expected.crc64) return refuse(codes::kBothCrc64AndMsMd5HeaderPresent, "");
    request.expected.md5 = request.headers.content_md5;
  }
  TRY_ASSIGN(request.conditions, parse_conditions(headers));
  request.body = content.source;
  return request;
}

}  // namespace

Task<Reply> put_blob(const Call& call) {
  Content content;
  CO_CHECK_ASSIGN(store::PutObject request, parse(call, content));
  // A SAS with `c` but no `w` may create and not replace; the store judges that where it publishes, without a race.
  const bool asked_for_new = request.conditions.if_none_match && request.conditions.if_none_match->any;
  const bool only_create = !call.who.may(auth::Permission::kWrite);
  if (only_create) request.conditions.if_none_match.emplace().any = true;
  Result<meta::Object> object = co_await call.store.put_object(call.object(), std::move(request));
  if (!object.ok() && only_create && !asked_for_new && object.error().detail == codes::kBlobAlreadyExists) {
    co_return refuse(codes::kUnauthorizedBlobOverwrite, "");
  }
  if (!object.ok()) co_return object.error();
  Reply reply = write_reply(object->etag_stamp, object->crc64);
  reply.status = 201;
  if (object->headers.content_md5) reply.headers.add("Content-MD5", md5_text(*object->headers.content_md5));
  if (content.decoder) reply.headers.add("x-ms-structured-body", kStructuredBody);
  co_return reply;
}

}  // namespace tombolo::azure_blob
