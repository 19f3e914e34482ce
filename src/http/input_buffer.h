// InputBuffer: bytes that were received and are not used up yet: heads, and what came along behind them.
#pragma once

#include <memory>

#include "base/bytes.h"

namespace tombolo::http {

/// Holds most heads, with a small body behind them.
inline constexpr std::size_t kSmallHead = 8 * 1024;

/// Holds a head of kHeadMax bytes and one more, and no memory while released. Of the memory for a large head nothing
/// is left when less than kSmallHead bytes are held again.
class InputBuffer {
 public:
  bool empty() const { return begin_ == end_; }
  BytesView bytes() const { return {data_.get() + begin_, end_ - begin_}; }
  std::string_view text() const { return as_text(bytes()); }

  /// Where to receive more. Never empty unless more than kHeadMax bytes are held; invalidates bytes().
  MutableBytes room();
  /// Requires n <= room().size() of the last call.
  void added(std::size_t n) { end_ += n; }
  /// Requires n <= bytes().size(). Invalidates bytes().
  void take(std::size_t n) {
    begin_ += n;
    if (capacity_ > kSmallHead) shrink();
  }
  /// Gives the memory back when nothing is held.
  void release_if_empty();
  /// What it takes up.
  std::size_t capacity() const { return capacity_; }

 private:
  void shrink();

  std::unique_ptr<std::byte[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace tombolo::http
