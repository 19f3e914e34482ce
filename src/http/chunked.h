// ChunkedDecoder: the data inside a chunked body (RFC 9112 §7.1). Pure; fuzzed.
#pragma once

#include <string>

#include "base/bytes.h"
#include "http/head_lines.h"

namespace tombolo::http {

inline constexpr std::size_t kChunkLineMax = 256;              // a chunk's size and extension
inline constexpr std::size_t kChunkExtensionsMax = 64 * 1024;  // extensions of one body
inline constexpr std::size_t kTrailerMax = 8 * 1024;           // all trailer lines; they are judged and dropped

/// One body each. Outcomes do not depend on how the bytes were split.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // bytes of the input that are done with, `data` included
    BytesView data;            // a piece of the body, inside the input; empty when the input gave none
  };
  /// Goes on until a piece of data, the end of the body or the end of the input. Failures: kBadChunk,
  /// kChunkExtension, kBadTrailer.
  Parsed<Step> advance(BytesView input);
  bool done() const { return state_ == State::kDone; }

  /// Bytes of data that come next without anything between: the caller may take them past advance() and say so.
  std::uint64_t data_ahead() const { return state_ == State::kData ? left_ : 0; }
  /// Requires n <= data_ahead().
  void took(std::uint64_t n);

 private:
  enum class State { kSize, kExtension, kSizeEnd, kData, kDataCr, kDataLf, kTrailer, kTrailerEnd, kDone };

  Parsed<void> take(char c);
  Parsed<void> take_size(char c);
  Parsed<void> take_trailer(char c);

  State state_ = State::kSize;
  std::uint64_t left_ = 0;
  std::size_t digits_ = 0;      // of the current chunk's size
  std::size_t line_ = 0;        // bytes of the current chunk's line
  std::size_t extensions_ = 0;  // bytes of all extensions so far
  std::size_t trailers_ = 0;
  std::string trailer_;
};

}  // namespace tombolo::http
