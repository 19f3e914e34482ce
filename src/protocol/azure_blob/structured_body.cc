#include "protocol/azure_blob/structured_body.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/crc64.h"
#include "base/endian.h"
#include "base/units.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::size_t kMessageHeader = 13, kSegmentHeader = 10, kCrc = 8;
constexpr std::uint64_t kSegmentBytes = 4 * kMiB;  // as the SDKs make them
constexpr std::uint64_t kSegmentsMax = 65'535;     // their number has two bytes
constexpr std::uint8_t kVersion = 1;
constexpr std::uint16_t kFlagCrc64 = 1;

std::uint64_t segment_bytes(std::uint64_t length) {
  return std::max(kSegmentBytes, (length + kSegmentsMax - 1) / kSegmentsMax);
}
std::uint64_t segments(std::uint64_t length) {
  return std::max<std::uint64_t>(1, (length + segment_bytes(length) - 1) / segment_bytes(length));
}

template <class T>
void append_le(Bytes& to, T value) {
  to.resize(to.size() + sizeof(T));
  store_le(to.data() + to.size() - sizeof(T), value);
}

Error no_message(std::string_view why) {
  return refuse(codes::kInvalidInput, fmt::format("The body is no structured message: {}.", why));
}

class Decoder final : public ByteSource {
 public:
  Decoder(ByteSource& body, std::uint64_t message_length, std::uint64_t content_length)
      : body_(body), message_length_(message_length), content_length_(content_length) {}

  Task<Block> next() override {
    if (!started_) {
      CO_TRY(read_message_header());
    }
    while (left_ == 0 && !ended_) {
      CO_TRY(read_segment_header());
      if (left_ == 0) {
        CO_TRY(end_segment());
      }
    }
    if (ended_) co_return Block();
    CO_TRY(fill());
    const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(pending_.size(), left_));
    Block out = pending_.slice(0, step);
    pending_ = pending_.slice(step, pending_.size() - step);
    segment_crc_ = crc64(out.view(), segment_crc_);
    content_crc_ = crc64(out.view(), content_crc_);
    left_ -= step;
    given_ += step;
    if (left_ == 0) {
      CO_TRY(end_segment());
    }
    co_return out;
  }

 private:
  // At least one byte in `pending_`.
  Task<void> fill() {
    if (!pending_.empty()) co_return Result<void>{};
    CO_TRY_ASSIGN(pending_, body_.next());
    if (pending_.empty()) co_return no_message("it ends early");
    co_return Result<void>{};
  }

  Task<Bytes> take(std::size_t length) {
    Bytes out;
    while (out.size() < length) {
      CO_TRY(fill());
      const std::size_t step = std::min(pending_.size(), length - out.size());
      const Block part = pending_.slice(0, step);
      out.insert(out.end(), part.view().begin(), part.view().end());
      pending_ = pending_.slice(step, pending_.size() - step);
    }
    co_return out;
  }

  Task<void> read_message_header() {
    CO_TRY_ASSIGN(const Bytes head, take(kMessageHeader));
    started_ = true;
    if (load_le<std::uint8_t>(head.data()) != kVersion) co_return no_message("its version is not 1");
    if (load_le<std::uint64_t>(head.data() + 1) != message_length_) co_return no_message("its length is another");
    if (load_le<std::uint16_t>(head.data() + 9) != kFlagCrc64) co_return no_message("it has no CRC64");
    segments_ = load_le<std::uint16_t>(head.data() + 11);
    if (segments_ != 0) co_return Result<void>{};
    co_return co_await end_message();
  }

  Task<void> read_segment_header() {
    CO_TRY_ASSIGN(const Bytes head, take(kSegmentHeader));
    number_ += 1;
    if (load_le<std::uint16_t>(head.data()) != number_) co_return no_message("its segments are out of order");
    left_ = load_le<std::uint64_t>(head.data() + 2);
    if (left_ > content_length_ - given_) co_return no_message("it has more content than announced");
    segment_crc_ = 0;
    co_return Result<void>{};
  }

  Task<void> end_segment() {
    CO_TRY_ASSIGN(const Bytes segment, take(kCrc));
    if (load_le<std::uint64_t>(segment.data()) != segment_crc_) {
      co_return refuse(codes::kCrc64Mismatch, fmt::format("Segment {} was damaged on its way.", number_));
    }
    if (number_ != segments_) co_return Result<void>{};
    co_return co_await end_message();
  }

  Task<void> end_message() {
    if (given_ != content_length_) co_return no_message("it has less content than announced");
    CO_TRY_ASSIGN(const Bytes whole, take(kCrc));
    if (load_le<std::uint64_t>(whole.data()) != content_crc_) {
      co_return refuse(codes::kCrc64Mismatch, "The CRC64 of the whole message differs.");
    }
    if (!pending_.empty()) co_return no_message("something follows it");
    CO_TRY_ASSIGN(const Block rest, body_.next());
    if (!rest.empty()) co_return no_message("something follows it");
    ended_ = true;
    co_return Result<void>{};
  }

  ByteSource& body_;
  const std::uint64_t message_length_, content_length_;
  Block pending_;
  std::uint64_t left_ = 0, given_ = 0, segment_crc_ = 0, content_crc_ = 0;
  std::uint32_t segments_ = 0, number_ = 0;
  bool started_ = false, ended_ = false;
};

class Encoder final : public ByteSource {
 public:
  Encoder(std::unique_ptr<ByteSource> content, std::uint64_t length) : content_(std::move(content)), length_(length) {}

  Task<Block> next() override {
    if (ended_) co_return Block();
    if (number_ == 0) {
      Bytes frame;
      append_le(frame, kVersion);
      append_le(frame, structured_length(length_));
      append_le(frame, kFlagCrc64);
      append_le(frame, static_cast<std::uint16_t>(segments(length_)));
      begin_segment(frame);
      co_return Block(std::move(frame));
    }
    if (left_ == 0) {
      Bytes frame;
      append_le(frame, segment_crc_);
      if (given_ == length_) {
        append_le(frame, content_crc_);
        ended_ = true;
      } else {
        begin_segment(frame);
      }
      co_return Block(std::move(frame));
    }
    if (pending_.empty()) {
      CO_TRY_ASSIGN(pending_, content_->next());
      if (pending_.empty()) co_return Error{Code::kInternal, "the content of a structured body ended early"};
    }
    const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(pending_.size(), left_));
    Block out = pending_.slice(0, step);
    pending_ = pending_.slice(step, pending_.size() - step);
    segment_crc_ = crc64(out.view(), segment_crc_);
    content_crc_ = crc64(out.view(), content_crc_);
    left_ -= step;
    given_ += step;
    co_return out;
  }

 private:
  void begin_segment(Bytes& frame) {
    left_ = std::min(segment_bytes(length_), length_ - given_);
    segment_crc_ = 0;
    number_ += 1;
    append_le(frame, static_cast<std::uint16_t>(number_));
    append_le(frame, left_);
  }

  std::unique_ptr<ByteSource> content_;
  const std::uint64_t length_;
  Block pending_;
  std::uint64_t left_ = 0, given_ = 0, segment_crc_ = 0, content_crc_ = 0;
  std::uint32_t number_ = 0;
  bool ended_ = false;
};

}  // namespace

Result<bool> is_structured(const http::Headers& headers) {
  TRY_ASSIGN(const std::optional<std::string_view> kind, only(headers, "x-ms-structured-body"));
  if (!kind) return false;
  if (equal_ignoring_case(*kind, kStructuredBody)) return true;
  return refuse(codes::kInvalidHeaderValue, fmt::format("x-ms-structured-body must be {}.", kStructuredBody));
}

Result<Content> request_content(const http::RequestHead& head, ByteSource& body, std::uint64_t limit) {
  const http::Headers& headers = head.headers;
  Content content;
  TRY_ASSIGN(const bool structured, is_structured(headers));
  if (!structured) {
    TRY_ASSIGN(content.length, body_length(head, limit));
    content.source = &body;
    return content;
  }
  TRY_ASSIGN(const std::optional<std::string_view> announced, only(headers, "x-ms-structured-content-length"));
  if (!announced) return refuse(codes::kMissingRequiredHeader, "x-ms-structured-content-length is missing.");
  const std::optional<std::uint64_t> length = parse_number(*announced);
  if (!length) return refuse(codes::kInvalidHeaderValue, "x-ms-structured-content-length is not a number.");
  if (*length > limit) return refuse(codes::kRequestBodyTooLarge, fmt::format("The limit here is {} bytes.", limit));
  TRY_ASSIGN(const std::optional<std::string_view> crc, only(headers, "x-ms-content-crc64"));
  if (headers.has("Content-MD5") || crc) {
    return refuse(codes::kInvalidHeaderValue, "A structured body has its checksums within, and no others.");
  }
  const std::uint64_t message_max = limit + kMessageHeader + kCrc + kSegmentsMax * (kSegmentHeader + kCrc);
  TRY_ASSIGN(const std::uint64_t message_length, body_length(head, message_max));
  content.length = *length;
  content.decoder = std::make_unique<Decoder>(body, message_length, *length);
  content.source = content.decoder.get();
  return content;
}

std::uint64_t structured_length(std::uint64_t length) {
  return kMessageHeader + segments(length) * (kSegmentHeader + kCrc) + length + kCrc;
}

std::unique_ptr<ByteSource> make_structured(std::unique_ptr<ByteSource> content, std::uint64_t length) {
  ASSERT(content != nullptr);
  return std::make_unique<Encoder>(std::move(content), length);
}

}  // namespace tombolo::azure_blob
