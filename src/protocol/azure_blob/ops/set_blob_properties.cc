#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"
#include "protocol/azure_blob/object_headers.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {

// Every header that is not given is cleared, as on Azure.
Task<Reply> set_blob_properties(const Call& call) {
  const http::Headers& headers = call.head.headers;
  CO_CHECK_ASSIGN(const std::optional<std::string_view> resize, only(headers, "x-ms-blob-content-length"));
  if (resize) {
    co_return refuse(codes::kInvalidBlobType, "Only page blobs can be resized.");
  }
  CO_CHECK_ASSIGN(meta::ObjectHeaders given, parse_object_headers(headers, PlainHeaders::kIgnore));
  CO_CHECK_ASSIGN(meta::Conditions conditions, parse_conditions(headers));
  CO_TRY_ASSIGN(const meta::Object object,
                call.store.set_object_headers(call.object(), std::move(given), std::move(conditions)));
  Reply reply;
  add_identity(reply.headers, object.etag_stamp);
  co_return reply;
}

}  // namespace tombolo::azure_blob
