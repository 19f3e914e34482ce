// InputBuffer: bytes that were received and are not used up yet: heads, and what came along behind them.
#pragma once

#include <memory>

#include "base/bytes.h"

namespace tombolo::http {

/// Holds a head of kHeadMax bytes and one more, and no memory while released.
class InputBuffer {
 public:
  bool empty() const { return begin_ == end_; }
  BytesView bytes() const { return {data_.get() + begin_, end_ - begin_}; }
  std::string_view text() const { return as_text(bytes()); }

  /// Where to receive more. Never empty unless more than kHeadMax bytes are held; invalidates bytes().
  MutableBytes room();
  /// Requires n <= room().size() of the last call.
  void added(std::size_t n) { end_ += n; }
  /// Requires n <= bytes().size().
  void take(std::size_t n) { begin_ += n; }
  /// Gives the memory back when nothing is held.
  void release_if_empty();

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace tombolo::http
