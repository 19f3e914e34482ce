#include "http/buffer_pool.h"

#include "async/byte_stream.h"
#include "base/assert.h"

namespace tombolo::http {

// Below this a fresh allocation of the right size is cheaper than holding a large buffer.
constexpr std::size_t kPooledMin = kStreamStep / 4;

BufferPool::BufferPool(std::size_t idle_max) : idle_(std::make_shared<Idle>()) {
  idle_->max = idle_max;
}

BufferPool::Buffer BufferPool::take(std::size_t size) {
  ASSERT(size > 0 && size <= kStreamStep);
  if (size < kPooledMin) {
    auto owner = std::make_shared_for_overwrite<std::byte[]>(size);
    std::byte* data = owner.get();
    return {std::shared_ptr<std::byte>(std::move(owner), data), {data, size}};
  }
  Pages raw;
  {
    const std::lock_guard lock(idle_->mutex);
    if (!idle_->buffers.empty()) {
      raw = std::move(idle_->buffers.back());
      idle_->buffers.pop_back();
    }
  }
  if (!raw) raw = make_pages(kStreamStep);
  std::byte* data = raw.release();
  const auto give_back = [idle = idle_](std::byte* bytes) {
    Pages returned(bytes);
    const std::lock_guard lock(idle->mutex);
    if (idle->buffers.size() < idle->max) idle->buffers.push_back(std::move(returned));
  };
  return {std::shared_ptr<std::byte>(data, give_back), {data, size}};
}

}  // namespace tombolo::http
