#include "base/printable.h"

#include <fmt/format.h>

namespace tombolo {

std::size_t control_bytes(std::string_view text, std::size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  if (c < 0x20 || c == 0x7F) return 1;
  const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0;
  return c == 0xC2 && next >= 0x80 && next < 0xA0 ? 2 : 0;
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t bytes = control_bytes(text, i);
    if (bytes == 0) {
      out += text[i];
      continue;
    }
    i += bytes - 1;
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
  }
  return out;
}

}  // namespace tombolo
