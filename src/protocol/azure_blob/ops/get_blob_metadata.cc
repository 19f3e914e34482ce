#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/metadata.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/read_failure.h"

namespace tombolo::azure_blob {

Task<Reply> get_blob_metadata(const Call& call) {
  CO_CHECK_ASSIGN(meta::Conditions conditions, parse_read_conditions(call.head.headers));
  const Result<meta::Object> found = co_await call.store.head_object(call.object(), conditions);
  if (!found.ok()) co_return co_await fail_read(call, found.error(), std::move(conditions));
  const meta::Object& object = *found;
  Reply reply;
  add_identity(reply.headers, object.etag_stamp);
  add_metadata(reply.headers, object.metadata);
  co_return reply;
}

}  // namespace tombolo::azure_blob
