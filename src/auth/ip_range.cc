#include "auth/ip_range.h"

#include <charconv>
#include <cstddef>

namespace tombolo::auth {
namespace {

constexpr std::string_view kMappedPrefix = "::ffff:";

// Dotted decimal only: no octal, no short forms, no leading zeros.
std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  std::uint32_t out = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || value > 255 || digits > 3 || (digits > 1 && text.front() == '0')) return std::nullopt;
    out = out << 8 | value;
    text.remove_prefix(digits);
  }
  if (!text.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<IpRange> parse_ip_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_ipv4(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_ipv4(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return IpRange{*first, *last};
}

bool contains(IpRange range, std::string_view address) {
  if (address.starts_with(kMappedPrefix)) address.remove_prefix(kMappedPrefix.size());
  const auto parsed = parse_ipv4(address);
  return parsed && *parsed >= range.first && *parsed <= range.last;
}

}  // namespace tombolo::auth
