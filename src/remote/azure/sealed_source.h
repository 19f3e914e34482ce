// SealedSource: a body that is what was announced, or never ends.
#pragma once

#include <functional>
#include <memory>

#include "async/byte_stream.h"

namespace tombolo::remote::azure {

/// Passes `inner` on and, at its end, calls `seal` with the CRC64 and size of what came: an error of it takes the place
/// of the end, so that the client never sends the last block (http/client.h) and the service never has a whole body.
class SealedSource final : public ByteSource {
 public:
  using Seal = std::function<Result<void>(std::uint64_t crc64, std::uint64_t size)>;
  SealedSource(std::unique_ptr<ByteSource> inner, Seal seal) : inner_(std::move(inner)), seal_(std::move(seal)) {}

  Task<Block> next() override;

 private:
  const std::unique_ptr<ByteSource> inner_;
  const Seal seal_;
  std::uint64_t crc64_ = 0, size_ = 0;
};

}  // namespace tombolo::remote::azure
