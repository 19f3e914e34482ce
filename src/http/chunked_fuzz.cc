// Chunked bodies: the same data and the same end however they were split, also for a caller that takes data past the
// decoder; and what is written in chunks is read back.
#include "http/chunked.h"

#include <fmt/format.h>

#include "testing/fuzz.h"

namespace tombolo::http {
namespace {

struct Decoded {
  std::optional<Failure> failure;
  bool done = false;
  std::size_t consumed = 0;
  std::string data;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

enum class Way { kAdvance, kTakePast };

Decoded decode(std::string_view bytes, std::size_t step, Way way) {
  ChunkedDecoder decoder;
  Decoded out;
  while (out.consumed < bytes.size() && !decoder.done()) {
    const fuzz::Exact copy(step == 1 ? std::string_view() : bytes.substr(out.consumed, step));
    std::string_view rest = step == 1 ? bytes.substr(out.consumed, 1) : copy.text();
    while (!rest.empty() && !decoder.done()) {
      if (const auto n = std::min<std::uint64_t>(decoder.data_ahead(), rest.size()); way == Way::kTakePast && n > 0) {
        out.data += rest.substr(0, n);
        decoder.took(n);
        rest.remove_prefix(n);
        out.consumed += n;
        continue;
      }
      const auto taken = decoder.advance(as_bytes(rest));
      if (!taken) {
        out.failure = taken.error();
        return out;
      }
      ASSERT(taken->consumed <= rest.size() && taken->data.size() <= taken->consumed);
      ASSERT(taken->consumed > 0);
      out.data += as_text(taken->data);
      rest.remove_prefix(taken->consumed);
      out.consumed += taken->consumed;
    }
  }
  out.done = decoder.done();
  return out;
}

// Where in a failing piece the decoder stood is no promise; what it gave until then is.
void check_same(Decoded a, Decoded b) {
  if (a.failure) a.consumed = b.consumed = 0;
  ASSERT(a == b);
}

std::string encoded(std::string_view data, fuzz::Pieces& choices) {
  std::string out;
  while (!data.empty()) {
    const std::size_t size = std::min<std::size_t>(data.size(), 1 + choices.byte());
    const bool extended = choices.flag();
    out += fmt::format("{:x}{}\r\n{}\r\n", size, extended ? ";name=\"value\"" : "", data.substr(0, size));
    data.remove_prefix(size);
  }
  return out + (choices.flag() ? "0\r\nx-trailer: value\r\n\r\n" : "000\r\n\r\n");
}

}  // namespace

FUZZ(http_chunked) {
  const std::string_view bytes = as_text(input);
  const Decoded whole = decode(bytes, std::max<std::size_t>(1, bytes.size()), Way::kAdvance);
  check_same(whole, decode(bytes, 1, Way::kAdvance));
  check_same(whole, decode(bytes, 1 + fuzz::hash_of(bytes) % 29, Way::kTakePast));
  ASSERT(whole.data.size() <= bytes.size() && !(whole.failure && whole.done));
  if (whole.done) ASSERT(bytes.substr(0, whole.consumed).ends_with("\r\n\r\n"));

  fuzz::Pieces choices(input);
  const std::string good = encoded(bytes, choices);
  const Decoded back = decode(good + "GET /", 7, Way::kTakePast);
  ASSERT(back.done && back.data == bytes && back.consumed == good.size());
  const Decoded cut = decode(std::string_view(good).substr(0, good.size() - 1), good.size(), Way::kAdvance);
  ASSERT(!cut.done && !cut.failure && cut.data == bytes);
}

}  // namespace tombolo::http
