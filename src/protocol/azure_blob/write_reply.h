// What writes have in common.
#pragma once

#include "protocol/azure_blob/call.h"

namespace tombolo::azure_blob {

/// 200 with the new identity.
Reply write_reply(Stamp etag_stamp);
/// The same with x-ms-content-crc64 of the request's body.
Reply write_reply(Stamp etag_stamp, std::uint64_t crc64);

}  // namespace tombolo::azure_blob
