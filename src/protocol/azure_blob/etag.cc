#include "protocol/azure_blob/etag.h"

#include <charconv>

namespace tombolo::azure_blob {

namespace {

void put_hex(char* to, std::uint64_t value) {
  for (int digit = 15; digit >= 0; --digit, value >>= 4) to[digit] = "0123456789ABCDEF"[value & 15];
}

}  // namespace

std::string etag_text(Stamp stamp) {
  std::string out = "0x0000000000000000";
  put_hex(&out[2], stamp.micros);
  return out;
}

std::string etag_header(Stamp stamp) {
  std::string out = "\"0x0000000000000000\"";
  put_hex(&out[3], stamp.micros);
  return out;
}

std::optional<Stamp> parse_etag(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text.size() != 18 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) return std::nullopt;
  Stamp stamp;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), stamp.micros, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return stamp;
}

}  // namespace tombolo::azure_blob
