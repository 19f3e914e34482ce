#include "protocol/azure_blob/operations.h"
#include "protocol/azure_blob/service_properties.h"

namespace tombolo::azure_blob {

Task<Reply> get_service_properties(const Call& call) {
  CO_TRY_ASSIGN(const std::string stored, call.store.get_service_properties(call.address.account));
  CO_CHECK_ASSIGN(const ServiceProperties properties, stored_service_properties(stored));
  co_return xml_reply(service_properties_xml(properties));
}

}  // namespace tombolo::azure_blob
