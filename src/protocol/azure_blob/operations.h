// The operations: one function each, in ops/.
#pragma once

#include "protocol/azure_blob/call.h"

namespace tombolo::azure_blob {

// Every one requires a Call of the level that the table (router.cc) names. An error carries one of codes:: in its
// detail, or is the store's.
Task<Reply> get_account_information(const Call& call);

Task<Reply> get_service_properties(const Call& call);
Task<Reply> set_service_properties(const Call& call);

Task<Reply> list_containers(const Call& call);
Task<Reply> create_container(const Call& call);
Task<Reply> get_container_properties(const Call& call);
Task<Reply> get_container_metadata(const Call& call);
Task<Reply> set_container_metadata(const Call& call);
Task<Reply> delete_container(const Call& call);
Task<Reply> list_blobs(const Call& call);

Task<Reply> put_blob(const Call& call);
Task<Reply> put_block(const Call& call);
Task<Reply> put_block_list(const Call& call);
Task<Reply> get_block_list(const Call& call);
Task<Reply> get_blob(const Call& call);
Task<Reply> get_blob_properties(const Call& call);
Task<Reply> get_blob_metadata(const Call& call);
Task<Reply> set_blob_metadata(const Call& call);
Task<Reply> set_blob_properties(const Call& call);
Task<Reply> delete_blob(const Call& call);

}  // namespace tombolo::azure_blob
