#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/metadata.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {

Task<Reply> get_blob_metadata(const Call& call) {
  CO_CHECK_ASSIGN(meta::Conditions conditions, parse_conditions(call.head.headers));
  CO_TRY_ASSIGN(const meta::Object object, call.store.head_object(call.object(), std::move(conditions)));
  Reply reply;
  add_identity(reply.headers, object.etag_stamp);
  add_metadata(reply.headers, object.metadata);
  co_return reply;
}

}  // namespace tombolo::azure_blob
