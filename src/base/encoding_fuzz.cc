// Hex, base64, percent escapes, UTF-8 and dates: what decodes encodes to what it was.
#include "base/encoding.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/times.h"
#include "testing/fuzz.h"

namespace tombolo {
namespace {

void check_decoders(std::string_view text) {
  if (const auto bytes = hex_decode(text)) ASSERT(hex_encode(*bytes) == lower(text));
  if (const auto bytes = base64_decode(text)) ASSERT(base64_encode(*bytes) == text);
  if (const auto decoded = percent_decode(text)) {
    ASSERT(decoded->size() <= text.size());
    ASSERT(percent_decode(percent_encode(*decoded)) == decoded);
    ASSERT(percent_decode(percent_encode(*decoded, "/+")) == decoded);
  }
}

void check_encoders(std::string_view text) {
  ASSERT(hex_decode(hex_encode(as_bytes(text))) == to_bytes(text));
  ASSERT(base64_decode(base64_encode(as_bytes(text))) == to_bytes(text));
  ASSERT(percent_decode(percent_encode(text)) == text);
}

// UTF-8 by its definition: code points encoded anew give the same bytes.
bool reference_is_utf8(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = at(i);
    const std::size_t n = lead < 0x80             ? 1
                          : (lead & 0xE0) == 0xC0 ? 2
                          : (lead & 0xF0) == 0xE0 ? 3
                          : (lead & 0xF8) == 0xF0 ? 4
                                                  : 0;
    if (n == 0) return false;
    std::uint32_t point = n == 1 ? lead : lead & (0x7FU >> n);
    for (std::size_t j = 1; j < n; ++j) {
      if ((at(i + j) & 0xC0) != 0x80) return false;
      point = point << 6 | (at(i + j) & 0x3F);
    }
    constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kLeast[n] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += n;
  }
  return true;
}

void check_times(std::string_view text) {
  // The weekday and the leap second are the only things that a date says twice or not at all.
  if (const auto time = parse_http_date(text)) {
    const std::string again = http_date(*time);
    ASSERT(parse_http_date(again) == time);
    if (text.substr(23, 2) != "60") ASSERT(again.substr(3) == text.substr(3));
    constexpr std::string_view kDays = "Sun,Mon,Tue,Wed,Thu,Fri,Sat,";
    ASSERT(kDays.find(text.substr(0, 4)) % 4 == 0);
  }
  if (const auto time = parse_iso8601(text)) {
    const std::string again = iso8601_7(*time);
    ASSERT(parse_iso8601(again) == time);
    const std::size_t same = std::min<std::size_t>(text.size() - (text.back() == 'Z' ? 1 : 0), 26);
    if (text.size() < 19 || text.substr(17, 2) != "60") ASSERT(again.starts_with(text.substr(0, same)));
  }
}

}  // namespace

FUZZ(base_encoding) {
  const fuzz::Exact copy(as_text(input));
  check_decoders(copy.text());
  check_encoders(copy.text());
  ASSERT(is_utf8(copy.text()) == reference_is_utf8(copy.text()));
  check_times(copy.text());
}

}  // namespace tombolo
