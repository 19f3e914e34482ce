#include "protocol/azure_blob/etag.h"

#include <fmt/format.h>

#include <charconv>

namespace tombolo::azure_blob {

std::string etag_text(Stamp stamp) {
  return fmt::format("0x{:016X}", stamp.micros);
}

std::string etag_header(Stamp stamp) {
  return fmt::format("\"0x{:016X}\"", stamp.micros);
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
