// IdleFiles: the segment files that stay open although nobody holds their segments.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/ids.h"
#include "disk/disk.h"

namespace tombolo::data {

/// A file lies here from the last unpinning of its segment to the next pinning: what is here nobody uses. Thread-safe;
/// no other lock is taken under its own. Each call costs the same, however many files there are.
class IdleFiles {
 public:
  explicit IdleFiles(std::uint32_t files_max) : files_max_(files_max) {}
  IdleFiles(const IdleFiles&) = delete;

  /// Requires: no file of this segment is here. Gives the one that has lain here longest where there are too many now,
  /// else null: it closes where the caller lets go of it, behind the caller's locks.
  [[nodiscard]] std::shared_ptr<disk::File> put(SegmentId segment, std::shared_ptr<disk::File> file);
  /// Null when it is not here.
  std::shared_ptr<disk::File> take(SegmentId segment);

 private:
  struct Idle {
    SegmentId segment;
    std::shared_ptr<disk::File> file;
  };

  const std::uint32_t files_max_;
  std::mutex mutex_;
  std::list<Idle> idle_;  // the most recently used first
  std::unordered_map<SegmentId, std::list<Idle>::iterator> places_;
};

}  // namespace tombolo::data
