// Call and Reply: what an operation is given and what it gives.
#pragma once

#include <cstdint>
#include <memory>

#include "async/byte_stream.h"
#include "auth/verified_request.h"
#include "http/message.h"
#include "protocol/azure_blob/address.h"
#include "protocol/azure_blob/query.h"
#include "store/store.h"

namespace tombolo {
class Workers;
}

namespace tombolo::azure_blob {

/// A verified and authorised request. Lives while its operation runs; a Reply refers to nothing of it.
struct Call {
  const http::RequestHead& head;
  ByteSource& body;
  const Address& address;
  const Query& query;
  const auth::VerifiedRequest& who;
  store::Store& store;
  Workers& workers;           // hashing and parsing of large bodies
  http::Headers& on_failure;  // what the answer tells, beside its code, should the operation fail

  store::ContainerRef container() const { return {who.tenant, address.account, address.container}; }
  store::ObjectRef object() const { return {container(), address.blob}; }
};

/// A successful answer. The handler adds what every answer has.
struct Reply {
  int status = 200;
  http::Headers headers = {};
  Block body = {};                               // when there is no stream
  std::unique_ptr<ByteSource> stream = nullptr;  // of exactly stream_length bytes
  std::uint64_t stream_length = 0;               // also without a stream: the length that an answer to HEAD tells
};

/// `xml` with its Content-Type.
Reply xml_reply(std::string xml);

}  // namespace tombolo::azure_blob
