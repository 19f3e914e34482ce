#include "data/segment_pin.h"

#include <fmt/format.h>

#include <utility>

#include "base/assert.h"
#include "data/segment.h"

namespace tombolo::data {

std::string Segment::name() const {
  return fmt::format("segment {:016x}", id.value);
}

SegmentPin::SegmentPin(std::shared_ptr<Segment> segment, PinKind kind) : segment_(std::move(segment)), kind_(kind) {
  if (segment_->pins++ == 0 && !segment_->file) segment_->file = segment_->idle->take(segment_->id);
  if (kind_ == PinKind::kWriter) ++segment_->unresolved;
}

SegmentPin& SegmentPin::operator=(SegmentPin&& other) noexcept {
  if (this == &other) return *this;
  unpin();
  segment_ = std::move(other.segment_);
  kind_ = other.kind_;
  return *this;
}

SegmentPin::~SegmentPin() {
  unpin();
}

void SegmentPin::unpin() {
  const auto segment = std::move(segment_);
  if (!segment) return;
  std::shared_ptr<disk::File> closed;  // behind the lock
  const std::lock_guard lock(segment->mutex);
  ASSERT(segment->pins > 0);
  --segment->pins;
  if (kind_ == PinKind::kWriter) --segment->unresolved;
  // Until then it is written and synced through this file, which knows of syncs that failed: another one would not.
  const bool idle = segment->pins == 0 && segment->sealed;
  if (idle && segment->file) closed = segment->idle->put(segment->id, std::move(segment->file));
}

SegmentId SegmentPin::segment() const {
  ASSERT(segment_);
  return segment_->id;
}

}  // namespace tombolo::data
