// Structured bodies: what is taken has the right checksums however its bytes came, and what is made is taken.
#include "protocol/azure_blob/structured_body.h"

#include <boost/asio/io_context.hpp>

#include "async/run.h"
#include "base/crc64.h"
#include "base/endian.h"
#include "testing/fuzz.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::size_t kMessageHeader = 13, kSegmentHeader = 10, kCrc = 8;
constexpr std::uint64_t kLimit = 1 << 20;

boost::asio::io_context& loop() {
  static boost::asio::io_context one(1);
  return one;
}

/// `bytes` in blocks of `step` bytes.
class Steps final : public ByteSource {
 public:
  Steps(std::string_view bytes, std::size_t step) : rest_(bytes), step_(step) {}
  Task<Block> next() override {
    const std::string_view piece = rest_.substr(0, step_);
    rest_.remove_prefix(piece.size());
    co_return piece.empty() ? Block() : Block(to_bytes(piece));
  }

 private:
  std::string_view rest_;
  std::size_t step_;
};

/// Small and odd, and not so many that a long message takes long.
std::size_t some_step(std::string_view message) {
  return std::max<std::size_t>(1 + fuzz::hash_of(message) % 17, message.size() / 32);
}

struct Decoded {
  bool whole = false;
  std::string_view code;  // of the error
  std::string content;
};

Task<std::string> drain(ByteSource& source, std::string& content) {
  while (true) {
    CO_TRY_ASSIGN(const Block block, source.next());
    if (block.empty()) co_return content;
    content += as_text(block.view());
  }
}

Decoded decode(std::string_view message, std::uint64_t length, std::size_t step) {
  http::RequestHead head;
  head.content_length = message.size();
  head.headers.add("x-ms-structured-body", kStructuredBody);
  head.headers.add("x-ms-structured-content-length", std::to_string(length));
  Steps body(message, step);
  auto content = request_content(head, body, kLimit);
  ASSERT(content.ok() && content->length == length);
  Decoded out;
  const auto drained = run_to_end(loop(), drain(*content->source, out.content));
  out.whole = drained.ok();
  if (!drained.ok()) out.code = drained.error().detail;
  return out;
}

// However many bytes come at once, the verdict is the same. What was given before a refusal may differ: that is what
// "before the last block of the segment is given" allows.
Decoded check_steps(std::string_view message, std::uint64_t length) {
  const Decoded whole = decode(message, length, std::max<std::size_t>(1, message.size()));
  const Decoded other = decode(message, length, some_step(message));
  ASSERT(other.whole == whole.whole && other.code == whole.code);
  if (!whole.whole) return whole;
  ASSERT(other.content == whole.content);
  ASSERT(whole.content.size() == length);
  ASSERT(load_le<std::uint64_t>(message.data() + message.size() - kCrc) == crc64(as_bytes(whole.content)));
  return whole;
}

// The input as a message whose checksums and length are right, which a fuzzer does not guess.
std::string patched(std::string_view input, std::uint64_t& length) {
  std::string out(input);
  length = 0;
  if (out.size() < kMessageHeader + kCrc) return out;
  store_le(out.data() + 1, static_cast<std::uint64_t>(out.size()));
  std::uint64_t all = 0;
  std::size_t at = kMessageHeader;
  for (unsigned segments = load_le<std::uint16_t>(out.data() + 11); segments > 0; --segments) {
    const std::size_t ends = 2 * kCrc + kSegmentHeader;
    if (out.size() - at < ends) break;
    const std::uint64_t size =
        std::min<std::uint64_t>(load_le<std::uint64_t>(out.data() + at + 2) % 64, out.size() - at - ends);
    store_le(out.data() + at + 2, size);
    const std::string_view content = std::string_view(out).substr(at + kSegmentHeader, size);
    store_le(out.data() + at + kSegmentHeader + size, crc64(as_bytes(content)));
    all = crc64(as_bytes(content), all);
    length += size;
    at += kSegmentHeader + size + kCrc;
  }
  store_le(out.data() + out.size() - kCrc, all);
  return out;
}

void check_made(std::string_view content) {
  std::string message;
  const auto source = make_structured(std::make_unique<Steps>(content, some_step(content)), content.size());
  ASSERT(run_to_end(loop(), drain(*source, message)).ok() && message.size() == structured_length(content.size()));
  const Decoded back = decode(message, content.size(), message.size());
  ASSERT(back.whole && back.content == content);
  const std::size_t at = fuzz::hash_of(content) % message.size();
  message[at] = static_cast<char>(message[at] ^ (1 << (at % 8)));
  ASSERT(!decode(message, content.size(), some_step(message)).whole);
}

}  // namespace

FUZZ(azure_structured_body) {
  const std::string_view bytes = as_text(input);
  fuzz::Pieces pieces(input);
  decode(bytes, pieces.u64() % kLimit, 64);
  std::uint64_t length = 0;
  const std::string message = patched(bytes, length);
  check_steps(message, length);
  check_made(bytes);
}

}  // namespace tombolo::azure_blob
