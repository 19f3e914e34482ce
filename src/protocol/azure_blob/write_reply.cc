#include "protocol/azure_blob/write_reply.h"

#include "protocol/azure_blob/digests.h"
#include "protocol/azure_blob/object_reply.h"

namespace tombolo::azure_blob {

Reply write_reply(Stamp etag_stamp) {
  Reply reply;
  add_identity(reply.headers, etag_stamp);
  reply.headers.add("x-ms-request-server-encrypted", kServerEncrypted);
  return reply;
}

Reply write_reply(Stamp etag_stamp, std::uint64_t crc64) {
  Reply reply = write_reply(etag_stamp);
  reply.headers.add("x-ms-content-crc64", crc64_text(crc64));
  return reply;
}

}  // namespace tombolo::azure_blob
