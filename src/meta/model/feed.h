// A record of the change feed (DESIGN decision 10): row e <shard>/<epoch>/<stamp>.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"

namespace tombolo::meta {

inline constexpr unsigned kFeedShards = 16;

enum class FeedKind : std::uint8_t {
  kContainerCreated = 1,
  kContainerDeleted = 2,
  kContainerChanged = 3,
  kObjectCreated = 4,  // content written: new or replaced
  kObjectChanged = 5,  // headers or metadata
  kObjectDeleted = 6,
  kObjectRenamed = 7,
};

struct FeedRecord {
  FeedKind kind = FeedKind::kObjectCreated;
  TenantId tenant;
  ContainerId container;
  ObjectId object;       // 0 for containers
  std::string name;      // of the object or the container, after the change (before it, for deletes)
  std::string old_name;  // renames only
  Stamp version_stamp, content_stamp, etag_stamp;
};

}  // namespace tombolo::meta
