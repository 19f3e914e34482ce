// What a read of a blob tells beside its code when it fails.
#pragma once

#include "protocol/azure_blob/call.h"

namespace tombolo::azure_blob {

/// Ends in `error`, always. Before, where it means 304: ETag and Last-Modified into call.on_failure, so that a cache
/// may keep what it has (RFC 9110, 15.4.5); where it means 416: the blob's length (15.5.17). Not told where the blob
/// has changed since in a way that would make it untrue.
Task<Reply> fail_read(const Call& call, Error error, meta::Conditions conditions);

}  // namespace tombolo::azure_blob
