#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/metadata.h"
#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/write_reply.h"

namespace tombolo::azure_blob {

Task<Reply> set_blob_metadata(const Call& call) {
  CO_CHECK_ASSIGN(meta::Metadata metadata, parse_metadata(call.head.headers));
  CO_CHECK_ASSIGN(meta::Conditions conditions, parse_conditions(call.head.headers));
  CO_TRY_ASSIGN(const meta::Object object,
                call.store.set_object_metadata(call.object(), std::move(metadata), std::move(conditions)));
  co_return write_reply(object.etag_stamp);
}

}  // namespace tombolo::azure_blob
