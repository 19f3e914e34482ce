#include "disk/disk.h"

#include "base/assert.h"

namespace tombolo::disk {

bool is_direct(std::uint64_t offset, BytesView bytes) {
  return offset % kPageBytes == 0 && bytes.size() % kPageBytes == 0 && is_page_aligned(bytes.data());
}

Task<void> File::write_direct(std::uint64_t offset, BytesView bytes) {
  ASSERT(is_direct(offset, bytes));
  co_return co_await write(offset, bytes);
}

Task<void> File::extend(std::uint64_t) {
  co_return Result<void>{};
}

}  // namespace tombolo::disk
