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
  ++segment_->pins;
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
  const std::lock_guard lock(segment->mutex);
  ASSERT(segment->pins > 0);
  --segment->pins;
  if (kind_ == PinKind::kWriter) --segment->unresolved;
}

SegmentId SegmentPin::segment() const {
  ASSERT(segment_);
  return segment_->id;
}

}  // namespace tombolo::data
