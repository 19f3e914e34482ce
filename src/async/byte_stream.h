// ByteSource: bytes that are pulled block by block, so that no body is ever held whole.
#pragma once

#include <cstdint>
#include <optional>

#include "async/task.h"
#include "base/bytes.h"

namespace tombolo {

/// The step of every stream: big enough to amortise a call, small enough to stay in a core's cache.
inline constexpr std::size_t kStreamStep = 256 * 1024;

/// Not thread-safe; one next() at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next block, 1 to kStreamStep bytes; an empty block at the end, and only there. After an error, only
  /// destruction is allowed.
  virtual Task<Block> next() = 0;
  /// The next block where it is at hand, so that several leave in one write; never an empty one. nullopt: ask next().
  virtual std::optional<Block> next_at_hand() { return std::nullopt; }
  /// The end has been reached in good order: next() would give an empty block. False: ask next().
  virtual bool ended() const { return false; }
};

/// One block, then the end.
class BlockSource final : public ByteSource {
 public:
  explicit BlockSource(Block block) : rest_(std::move(block)) {}
  Task<Block> next() override { co_return take(); }
  std::optional<Block> next_at_hand() override { return rest_.empty() ? std::nullopt : std::optional(take()); }
  bool ended() const override { return rest_.empty(); }

 private:
  Block take() {
    const std::size_t step = std::min(rest_.size(), kStreamStep);
    Block out = rest_.slice(0, step);
    rest_ = rest_.slice(step, rest_.size() - step);
    return out;
  }
  Block rest_;
};

/// Everything up to `limit` bytes in one buffer; kTooLarge past it.
Task<Bytes> read_all(ByteSource& source, std::size_t limit);

}  // namespace tombolo
