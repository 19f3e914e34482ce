// CheckedBody: a client's body as it was promised: exactly so long, with the digests that were sent along.
#pragma once

#include <optional>

#include "async/byte_stream.h"
#include "store/md5_pipeline.h"
#include "store/types.h"

namespace tombolo::store {

enum class BodyMd5 { kAlways, kWhenExpected };

struct CheckedBodyOptions {
  ByteSource* body = nullptr;
  std::uint64_t length = 0;
  ExpectedDigests expected;
  BodyMd5 md5 = BodyMd5::kWhenExpected;
};

/// Not thread-safe; one call at a time. Every error but those of the body itself is kInvalid with a detail:
/// "IncompleteBody", "BodyTooLong", "Md5Mismatch", "Crc64Mismatch".
class CheckedBody {
 public:
  /// `options.body` and `workers` must outlive it.
  CheckedBody(Workers& workers, CheckedBodyOptions options);

  /// The next block of the body, hashed on its way; empty at the end, and then the body had the promised length.
  Task<Block> next();
  /// After the end: compares the digests. `crc64` is that of all bytes, which whoever wrote them has computed.
  /// Gives the MD5 where it was computed.
  Task<std::optional<Md5Digest>> finish(std::uint64_t crc64);

 private:
  CheckedBodyOptions options_;
  std::optional<Md5Pipeline> md5_;
  std::uint64_t taken_ = 0;
};

}  // namespace tombolo::store
