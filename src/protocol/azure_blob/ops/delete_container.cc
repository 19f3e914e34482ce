#include "protocol/azure_blob/conditions.h"
#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {

Task<Reply> delete_container(const Call& call) {
  CO_CHECK_ASSIGN(meta::Conditions conditions, parse_conditions(call.head.headers));
  CO_TRY(call.store.delete_container(call.container(), std::move(conditions)));
  Reply reply;
  reply.status = 202;
  co_return reply;
}

}  // namespace tombolo::azure_blob
