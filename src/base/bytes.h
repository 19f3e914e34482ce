// Bytes: owned buffers, borrowed views, and immutable shared blocks for streaming.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tombolo {

using Bytes = std::vector<std::byte>;
using BytesView = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(BytesView view) {
  return Bytes(view.begin(), view.end());
}
inline Bytes to_bytes(std::string_view text) {
  return to_bytes(as_bytes(text));
}

/// An immutable piece of a stream that keeps its bytes alive: a view plus whatever owns it. Cheap to copy and slice.
class Block {
 public:
  Block() = default;
  explicit Block(Bytes bytes) {
    auto owned = std::make_shared<const Bytes>(std::move(bytes));
    view_ = *owned;
    owner_ = std::move(owned);
  }
  explicit Block(std::string text) {
    auto owned = std::make_shared<const std::string>(std::move(text));
    view_ = as_bytes(*owned);
    owner_ = std::move(owned);
  }
  Block(std::shared_ptr<const void> owner, BytesView view) : owner_(std::move(owner)), view_(view) {}

  BytesView view() const { return view_; }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  /// Requires offset + length <= size().
  Block slice(std::size_t offset, std::size_t length) const { return Block(owner_, view_.subspan(offset, length)); }

 private:
  std::shared_ptr<const void> owner_;
  BytesView view_;
};

}  // namespace tombolo
