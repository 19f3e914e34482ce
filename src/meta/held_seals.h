// HeldSeals: which seals of uploads the commits of this process hold right now.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>

namespace tombolo::meta {

/// Thread-safe. What the row of an upload says outlives a commit that could not take its seal back (a full disk, a full
/// queue, an outcome nobody knows); this does not. It must outlive every hold.
class HeldSeals {
 public:
  /// Held until the last copy is gone.
  std::shared_ptr<const void> hold(std::uint64_t seal_id);
  bool holds(std::uint64_t seal_id) const;

 private:
  mutable std::mutex mutex_;
  std::set<std::uint64_t> ids_;
};

}  // namespace tombolo::meta
