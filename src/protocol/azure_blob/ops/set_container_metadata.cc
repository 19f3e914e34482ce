#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/metadata.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {

Task<Reply> set_container_metadata(const Call& call) {
  CO_CHECK_ASSIGN(meta::Metadata metadata, parse_metadata(call.head.headers));
  CO_CHECK_ASSIGN(meta::Conditions conditions, parse_conditions(call.head.headers));
  CO_TRY_ASSIGN(const meta::Container container,
                call.store.set_container_metadata(call.container(), std::move(metadata), std::move(conditions)));
  Reply reply;
  add_identity(reply.headers, container.etag_stamp);
  co_return reply;
}

}  // namespace tombolo::azure_blob
