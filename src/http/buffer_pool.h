// BufferPool: the large buffers of bodies, used again instead of being mapped and zeroed each time.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"
#include "base/pages.h"

namespace tombolo::http {

/// Thread-safe; buffers may outlive the pool and be released on any thread.
class BufferPool {
 public:
  /// `idle_max`: buffers of kStreamStep bytes that are kept for later.
  explicit BufferPool(std::size_t idle_max);

  struct Buffer {
    std::shared_ptr<std::byte> owner;
    MutableBytes bytes;
  };
  /// Of exactly `size` bytes, unspecified ones; the large ones begin on a page. Requires 0 < size <= kStreamStep.
  Buffer take(std::size_t size);

 private:
  struct Idle {
    std::mutex mutex;
    std::vector<Pages> buffers;
    std::size_t max = 0;
  };
  std::shared_ptr<Idle> idle_;
};

}  // namespace tombolo::http
