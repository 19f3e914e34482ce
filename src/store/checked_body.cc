#include "store/checked_body.h"

#include <fmt/format.h>

namespace tombolo::store {

CheckedBody::CheckedBody(Workers& workers, CheckedBodyOptions options) : options_(std::move(options)) {
  if (options_.md5 == BodyMd5::kAlways || options_.expected.md5) md5_.emplace(workers);
}

Task<Block> CheckedBody::next() {
  CO_TRY_ASSIGN(Block block, options_.body->next());
  if (block.empty()) {
    if (taken_ == options_.length) co_return block;
    co_return Error{Code::kInvalid,
                    fmt::format("the body ended after {} of {} bytes; nothing was stored", taken_, options_.length),
                    "IncompleteBody"};
  }
  taken_ += block.size();
  if (taken_ > options_.length) {
    co_return Error{Code::kInvalid,
                    fmt::format("the body is longer than the {} bytes announced; nothing was stored", options_.length),
                    "BodyTooLong"};
  }
  if (md5_) {
    CO_TRY(md5_->add(block));
  }
  co_return block;
}

Task<std::optional<Md5Digest>> CheckedBody::finish(std::uint64_t crc64) {
  if (options_.expected.crc64 && *options_.expected.crc64 != crc64) {
    co_return Error{Code::kInvalid,
                    fmt::format("the body's CRC64 is {:016x}, {:016x} was sent along; nothing was stored", crc64,
                                *options_.expected.crc64),
                    "Crc64Mismatch"};
  }
  std::optional<Md5Digest> digest;
  if (!md5_) co_return digest;
  CO_TRY_ASSIGN(digest, md5_->finish());
  if (options_.expected.md5 && *options_.expected.md5 != *digest) {
    co_return Error{Code::kInvalid, "the body's MD5 is not the one sent along; nothing was stored", "Md5Mismatch"};
  }
  co_return digest;
}

}  // namespace tombolo::store
