#include "http/input_buffer.h"

#include <algorithm>
#include <cstring>

#include "http/head_lines.h"

namespace tombolo::http {

constexpr std::size_t kFirstCapacity = kSmallHead;
// The byte too many must be seen for a head to be refused.
constexpr std::size_t kLastCapacity = kHeadMax + 1;

namespace {

// Of the thread: heads follow each other on a loop, and nearly all fit the first capacity.
thread_local std::unique_ptr<std::byte[]> spare;

}  // namespace

MutableBytes InputBuffer::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (capacity_ == 0 && spare) {
    data_ = std::move(spare);
    capacity_ = kFirstCapacity;
  }
  if (begin_ > 0 && end_ == capacity_) {
    std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_ && capacity_ < kLastCapacity) {
    const std::size_t larger = std::clamp(capacity_ * 2, kFirstCapacity, kLastCapacity);
    auto data = std::make_unique_for_overwrite<std::byte[]>(larger);
    if (end_ > 0) std::memcpy(data.get(), data_.get(), end_);
    data_ = std::move(data);
    capacity_ = larger;
  }
  return {data_.get() + end_, capacity_ - end_};
}

void InputBuffer::release_if_empty() {
  if (!empty()) return;
  if (capacity_ == kFirstCapacity) spare = std::move(data_);
  data_.reset();
  capacity_ = begin_ = end_ = 0;
}

// A large buffer is there for a large head, which is never held along with little behind it.
void InputBuffer::shrink() {
  const std::size_t held = end_ - begin_;
  if (held >= kFirstCapacity) return;
  std::unique_ptr<std::byte[]> small;
  if (held > 0) {
    small = spare ? std::move(spare) : std::make_unique_for_overwrite<std::byte[]>(kFirstCapacity);
    std::memcpy(small.get(), data_.get() + begin_, held);
  }
  data_ = std::move(small);
  capacity_ = held > 0 ? kFirstCapacity : 0;
  begin_ = 0;
  end_ = held;
}

}  // namespace tombolo::http
