// SegmentPin: keeps a segment's file from going.
#pragma once

#include <memory>

#include "base/ids.h"

namespace tombolo::data {

struct Segment;  // data/segment.h

enum class PinKind {
  kReader,
  kWriter,  // a run that waits for its commit: besides the file, it keeps the segment from being released
};

/// Readers hold one while they stream; a sealed run holds one until its commit is resolved (core.md §2). Movable;
/// destroy it on any thread.
class SegmentPin {
 public:
  SegmentPin() = default;
  /// Requires: the segment's mutex is held, and its life allows a pin. For SegmentStore only.
  SegmentPin(std::shared_ptr<Segment> segment, PinKind kind);
  SegmentPin(SegmentPin&& other) noexcept = default;
  SegmentPin& operator=(SegmentPin&& other) noexcept;
  ~SegmentPin();

  /// Requires: not empty, not moved from.
  SegmentId segment() const;
  const std::shared_ptr<Segment>& shared() const { return segment_; }

 private:
  void unpin();
  std::shared_ptr<Segment> segment_;
  PinKind kind_ = PinKind::kReader;
};

}  // namespace tombolo::data
