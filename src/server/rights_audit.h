// What the audit log holds of the Blob dialect: requests that change who may do what, or what there is to have rights
// on.
#pragma once

#include <optional>

#include "protocol/azure_blob/handler.h"
#include "server/audit.h"

namespace tombolo::server {

/// To be recorded before the answer goes out; nullopt where the request changes no rights, or came from a stranger.
std::optional<admin::AuditRecord> rights_record(const azure_blob::Observation& seen);

/// After the answer, of a request that failed. One that was refused may become a number (Audit::refused); of another
/// one, which may have been done, there is always a record.
void record_failure(Audit& audit, const azure_blob::Observation& seen);

}  // namespace tombolo::server
