#include "remote/remote.h"

namespace tombolo::remote {

BodyFactory body_of(Block block) {
  return [block = std::move(block)](std::uint64_t offset, std::uint64_t length) {
    return std::make_unique<BlockSource>(block.slice(offset, length));
  };
}

}  // namespace tombolo::remote
