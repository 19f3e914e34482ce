// What an object's current record holds. No locations: those are the gen's (DESIGN decision 7).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "meta/model/container.h"

namespace tombolo::meta {

/// Values are stored verbatim; empty means absent.
struct ObjectHeaders {
  std::string content_type, content_encoding, content_language, content_disposition, cache_control;
  std::optional<std::array<std::byte, 16>> content_md5;  // the protocol's Content-MD5: computed or given, never guessed
};

enum class ObjectKind : std::uint8_t { kBlock = 0, kAppend = 1, kPage = 2 };

struct Object {
  std::string name;
  ObjectId id;      // this incarnation
  HolderId holder;  // the edge r <gen>/<holder> that keeps the gen alive
  GenId gen;
  ObjectKind kind = ObjectKind::kBlock;
  std::uint64_t length = 0;  // bytes
  std::uint64_t crc64 = 0;   // of all bytes
  Stamp created;             // kept by overwrites of headers or metadata, new with content
  Stamp version_stamp, content_stamp, etag_stamp;
  std::uint64_t metageneration = 1;
  ObjectHeaders headers;
  Metadata metadata;
};

}  // namespace tombolo::meta
