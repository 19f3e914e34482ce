#include "remote/azure/sealed_source.h"

#include "base/crc64.h"

namespace tombolo::remote::azure {

Task<Block> SealedSource::next() {
  CO_TRY_ASSIGN(Block block, inner_->next());
  if (block.empty()) {
    CO_CHECK(seal_(crc64_, size_));
    co_return Block();
  }
  crc64_ = crc64(block.view(), crc64_);
  size_ += block.size();
  co_return block;
}

}  // namespace tombolo::remote::azure
