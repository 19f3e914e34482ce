#include "async/byte_stream.h"

#include <fmt/format.h>

namespace tombolo {

Task<Bytes> read_all(ByteSource& source, std::size_t limit) {
  Bytes all;
  while (true) {
    CO_TRY_ASSIGN(const Block block, source.next());
    if (block.empty()) co_return all;
    if (all.size() + block.size() > limit) {
      co_return Error{Code::kTooLarge, fmt::format("the body is longer than {} bytes", limit)};
    }
    all.insert(all.end(), block.view().begin(), block.view().end());
  }
}

}  // namespace tombolo
