#include "http/chunked.h"

#include <algorithm>
#include <limits>

#include "base/ascii.h"
#include "base/assert.h"

namespace tombolo::http {
namespace {

// RFC 9110 §6.5.1: what frames, routes, authorises or describes a message cannot come behind it.
constexpr std::string_view kForbiddenTrailers[] = {
    "Authorization",       "Cache-Control", "Connection", "Content-Encoding", "Content-Length",
    "Content-Range",       "Content-Type",  "Cookie",     "Expect",           "Host",
    "Proxy-Authorization", "Range",         "TE",         "Trailer",          "Transfer-Encoding",
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::uint64_t kChunkMax = std::numeric_limits<std::int64_t>::max();

}  // namespace

Parsed<ChunkedDecoder::Step> ChunkedDecoder::advance(BytesView input) {
  std::size_t at = 0;
  while (at < input.size() && state_ != State::kDone) {
    if (state_ == State::kData) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      took(n);
      return Step{at + n, input.subspan(at, n)};
    }
    if (const auto taken = take(static_cast<char>(input[at])); !taken) return std::unexpected(taken.error());
    ++at;
  }
  return Step{at, {}};
}

void ChunkedDecoder::took(std::uint64_t n) {
  ASSERT(n <= data_ahead());
  left_ -= n;
  if (left_ == 0) state_ = State::kDataCr;
}

Parsed<void> ChunkedDecoder::take(char c) {
  switch (state_) {
    case State::kSize:
      return take_size(c);
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeEnd;
        return {};
      }
      if (!is_field_value({&c, 1})) return std::unexpected(Failure::kBadChunk);
      if (++line_ > kChunkLineMax || ++extensions_ > kChunkExtensionsMax) {
        return std::unexpected(Failure::kChunkExtension);
      }
      return {};
    case State::kSizeEnd:
      if (c != '\n') return std::unexpected(Failure::kBadChunk);
      state_ = left_ == 0 ? State::kTrailer : State::kData;
      return {};
    case State::kDataCr:
      if (c != '\r') return std::unexpected(Failure::kBadChunk);
      state_ = State::kDataLf;
      return {};
    case State::kDataLf:
      if (c != '\n') return std::unexpected(Failure::kBadChunk);
      state_ = State::kSize;
      digits_ = line_ = 0;
      return {};
    case State::kTrailer:
    case State::kTrailerEnd:
      return take_trailer(c);
    case State::kData:
    case State::kDone:
      break;
  }
  return std::unexpected(Failure::kBadChunk);
}

Parsed<void> ChunkedDecoder::take_size(char c) {
  if (const int digit = hex_value(c); digit >= 0) {
    if (left_ > (kChunkMax >> 4)) return std::unexpected(Failure::kBadChunk);
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    ++digits_;
    if (++line_ > kChunkLineMax) return std::unexpected(Failure::kBadChunk);
    return {};
  }
  if (digits_ == 0) return std::unexpected(Failure::kBadChunk);
  if (c == ';') {
    state_ = State::kExtension;
  } else if (c == '\r') {
    state_ = State::kSizeEnd;
  } else {
    return std::unexpected(Failure::kBadChunk);
  }
  return {};
}

Parsed<void> ChunkedDecoder::take_trailer(char c) {
  if (state_ == State::kTrailer) {
    if (c == '\r') {
      state_ = State::kTrailerEnd;
      return {};
    }
    if (!is_field_value({&c, 1}) || ++trailers_ > kTrailerMax) return std::unexpected(Failure::kBadTrailer);
    trailer_ += c;
    return {};
  }
  if (c != '\n') return std::unexpected(Failure::kBadTrailer);
  if (trailer_.empty()) {
    state_ = State::kDone;
    return {};
  }
  const auto field = parse_field(trailer_);
  const auto forbids = [&](std::string_view name) { return equal_ignoring_case(name, field->name); };
  if (!field || std::any_of(std::begin(kForbiddenTrailers), std::end(kForbiddenTrailers), forbids)) {
    return std::unexpected(Failure::kBadTrailer);
  }
  trailer_.clear();
  state_ = State::kTrailer;
  return {};
}

}  // namespace tombolo::http
