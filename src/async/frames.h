// The memory of coroutine frames.
#pragma once

#include <cstddef>

namespace tombolo {

/// Frames come and go by the dozen in every request and have few sizes: each thread keeps some of every size for the
/// next one. Asio's own recycling keeps two, none above 1 KiB. A frame may be freed by another thread than made it.
void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

}  // namespace tombolo
