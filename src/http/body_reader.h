// BodyReader: a message's body as it comes in, by length or chunked.
#pragma once

#include "async/byte_stream.h"
#include "http/buffer_pool.h"
#include "http/chunked.h"
#include "http/input_buffer.h"
#include "http/pace.h"
#include "http/stream.h"

namespace tombolo::http {

struct BodyReaderOptions {
  bool chunked = false;
  std::uint64_t size = 0;  // when not chunked
  PaceOptions pace = {};
};

/// Blocks are full (kStreamStep) but the last. Errors carry Failure names: kBodyIncomplete, kBodyStalled,
/// kConnectionLost, or what ChunkedDecoder fails with; kCancelled.
class BodyReader final : public ByteSource {
 public:
  /// References outlive the reader. `input` holds what came behind the head, and afterwards what comes behind the body.
  BodyReader(Stream& stream, InputBuffer& input, BufferPool& pool, BodyReaderOptions options);

  Task<Block> next() override;

  struct Discard {
    std::uint64_t bytes_max;
    Deadline until;
  };
  /// Reads the rest and drops it, holding no more than the input buffer. False when it did not reach the body's end:
  /// the limits were met, or the peer failed. Errors: kCancelled only.
  Task<bool> discard(Discard limits);

  /// The end has been reached in good order; true at once when there is no body.
  bool finished() const { return options_.chunked ? decoder_.done() : left_ == 0; }
  bool failed() const { return failed_; }
  /// What is known to come: 0 for a chunked body.
  std::uint64_t size_left() const { return left_; }

 private:
  Task<Block> next_sized();
  Task<Block> next_chunked();
  // Reads at least a byte into `into`.
  Task<std::size_t> read(MutableBytes into);
  // Drops what the input buffer holds of the body; how much of the body that was.
  Result<std::uint64_t> drop_input();

  Stream& stream_;
  InputBuffer& input_;
  BufferPool& pool_;
  const BodyReaderOptions options_;
  std::uint64_t left_;
  ChunkedDecoder decoder_;
  Pace pace_;
  bool failed_ = false;
};

}  // namespace tombolo::http
