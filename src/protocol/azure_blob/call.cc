#include "protocol/azure_blob/call.h"

namespace tombolo::azure_blob {

Reply xml_reply(std::string xml) {
  Reply reply;
  reply.headers.add("Content-Type", "application/xml");
  reply.body = Block(std::move(xml));
  return reply;
}

}  // namespace tombolo::azure_blob
