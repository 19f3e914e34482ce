// The source addresses of a SAS ("sip"): one IPv4 address or an inclusive range. Azure takes no IPv6 there.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tombolo::auth {

struct IpRange {
  std::uint32_t first = 0;  // host byte order
  std::uint32_t last = 0;
};

/// "a.b.c.d" or "a.b.c.d-e.f.g.h"; nullopt when malformed or empty-handed (first above last).
std::optional<IpRange> parse_ip_range(std::string_view text);

/// `address` as text, IPv4 or IPv4-mapped IPv6 (::ffff:a.b.c.d); anything else is in no range.
bool contains(IpRange range, std::string_view address);

}  // namespace tombolo::auth
