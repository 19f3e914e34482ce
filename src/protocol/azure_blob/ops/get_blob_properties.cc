#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/read_failure.h"

namespace tombolo::azure_blob {

Task<Reply> get_blob_properties(const Call& call) {
  CO_CHECK_ASSIGN(meta::Conditions conditions, parse_read_conditions(call.head.headers));
  const Result<meta::Object> found = co_await call.store.head_object(call.object(), conditions);
  if (!found.ok()) co_return co_await fail_read(call, found.error(), std::move(conditions));
  const meta::Object& object = *found;
  Reply reply;
  add_object(reply.headers, object);
  if (object.headers.content_md5) reply.headers.add("Content-MD5", md5_text(*object.headers.content_md5));
  apply_overrides(reply.headers, call.who.overrides);
  reply.stream_length = object.length;
  co_return reply;
}

}  // namespace tombolo::azure_blob
