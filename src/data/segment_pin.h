// SegmentPin: keeps a segment's file from going.
#pragma once

#include <memory>

#include "base/ids.h"

namespace tombolo::data {

struct Segment;  // data/segment.h

/// Readers hold one while they stream; a sealed run holds one until its commit is resolved (core.md §2). Movable;
/// destroy it on any thread. The store must outlive it.
class SegmentPin {
 public:
  SegmentPin() = default;
  explicit SegmentPin(std::shared_ptr<Segment> segment);
  SegmentPin(SegmentPin&& other) noexcept;
  SegmentPin& operator=(SegmentPin&& other) noexcept;
  ~SegmentPin();

  /// Requires: not moved from.
  SegmentId segment() const;
  const std::shared_ptr<Segment>& shared() const { return segment_; }

 private:
  std::shared_ptr<Segment> segment_;
};

}  // namespace tombolo::data
