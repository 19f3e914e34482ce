#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {

// AzCopy dereferences sku and kind without looking whether they are there.
Task<Reply> get_account_information(const Call&) {
  Reply reply;
  reply.headers.add("x-ms-sku-name", "Standard_LRS");
  reply.headers.add("x-ms-account-kind", "StorageV2");
  reply.headers.add("x-ms-is-hns-enabled", "false");
  co_return reply;
}

}  // namespace tombolo::azure_blob
