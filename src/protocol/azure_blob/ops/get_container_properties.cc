#include "protocol/azure_blob/object_reply.h"
#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {

Task<Reply> get_container_properties(const Call& call) {
  CO_TRY_ASSIGN(const meta::Container container, call.store.get_container(call.container()));
  Reply reply;
  add_container(reply.headers, container);
  co_return reply;
}

}  // namespace tombolo::azure_blob
