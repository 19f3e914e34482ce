#include "disk/disk.h"

#include <algorithm>

#include "base/assert.h"

namespace tombolo::disk {

bool is_direct(std::uint64_t offset, std::span<const BytesView> pieces) {
  const auto fits = [](BytesView piece) { return piece.size() % kPageBytes == 0 && is_page_aligned(piece.data()); };
  return offset % kPageBytes == 0 && pieces.size() <= File::kPiecesMax &&
         std::all_of(pieces.begin(), pieces.end(), fits);
}

Task<void> File::write_direct(std::uint64_t offset, std::span<const BytesView> pieces, CallSite site) {
  ASSERT(is_direct(offset, pieces));
  for (const BytesView piece : pieces) {
    CO_TRY(write(offset, piece, site));
    offset += piece.size();
  }
  co_return Result<void>{};
}

Task<void> File::extend(std::uint64_t, CallSite) {
  co_return Result<void>{};
}

Task<void> write_direct(File& file, std::uint64_t offset, BytesView bytes, CallSite site) {
  const BytesView pieces[] = {bytes};
  co_return co_await file.write_direct(offset, pieces, site);
}

}  // namespace tombolo::disk
