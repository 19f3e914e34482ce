#include "http/input_buffer.h"

#include <algorithm>
#include <cstring>

#include "http/head_lines.h"

namespace tombolo::http {

// Holds most heads, with a small body behind them.
constexpr std::size_t kFirstCapacity = 8 * 1024;
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

}  // namespace tombolo::http
