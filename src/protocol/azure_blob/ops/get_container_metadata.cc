#include "protocol/azure_blob/metadata.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {

Task<Reply> get_container_metadata(const Call& call) {
  CO_TRY_ASSIGN(const meta::Container container, call.store.get_container(call.container()));
  Reply reply;
  add_identity(reply.headers, container.etag_stamp);
  add_metadata(reply.headers, container.metadata);
  co_return reply;
}

}  // namespace tombolo::azure_blob
