#include "protocol/azure_blob/metadata.h"
#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {

Task<Reply> create_container(const Call& call) {
  CO_CHECK_ASSIGN(meta::Metadata metadata, parse_metadata(call.head.headers));
  CO_TRY_ASSIGN(const meta::Container container, call.store.create_container(call.container(), std::move(metadata)));
  Reply reply;
  reply.status = 201;
  add_identity(reply.headers, container.etag_stamp);
  co_return reply;
}

}  // namespace tombolo::azure_blob
