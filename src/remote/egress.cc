#include "remote/egress.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace tombolo::remote {

namespace asio = boost::asio;
using asio::ip::address;
using asio::ip::address_v4;
using asio::ip::address_v6;

namespace {

constexpr std::size_t kAddressesMax = 16;  // of one name; more are ignored

enum class Kind { kPublic, kPrivate, kNever };

struct Range4 {
  std::uint32_t first;
  int bits;
  Kind kind;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// The first match counts.
constexpr Range4 kRanges4[] = {
    {v4(100, 100, 100, 200), 32, Kind::kNever},  // metadata (Alibaba)
    {v4(168, 63, 129, 16), 32, Kind::kNever},    // platform agent (Azure)
    {v4(192, 0, 0, 0), 24, Kind::kNever},        // protocol assignments; metadata (Oracle) among them
    {v4(0, 0, 0, 0), 8, Kind::kNever},           // this network
    {v4(169, 254, 0, 0), 16, Kind::kNever},      // link-local; metadata
    {v4(224, 0, 0, 0), 4, Kind::kNever},         // multicast
    {v4(240, 0, 0, 0), 4, Kind::kNever},         // reserved, broadcast
    {v4(10, 0, 0, 0), 8, Kind::kPrivate},       {v4(100, 64, 0, 0), 10, Kind::kPrivate},  // carrier-grade NAT
    {v4(127, 0, 0, 0), 8, Kind::kPrivate},      {v4(172, 16, 0, 0), 12, Kind::kPrivate},
    {v4(192, 168, 0, 0), 16, Kind::kPrivate},   {v4(198, 18, 0, 0), 15, Kind::kPrivate},  // benchmarking
};

Kind judge(address_v4 given) {
  for (const Range4& range : kRanges4) {
    const std::uint32_t mask = ~std::uint32_t{0} << (32 - range.bits);
    if ((given.to_uint() & mask) == range.first) return range.kind;
  }
  return Kind::kPublic;
}

bool starts_with(const address_v6::bytes_type& bytes, std::initializer_list<int> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin(), [](int a, int b) { return a == b; });
}

address_v4 v4_at(const address_v6::bytes_type& bytes, std::size_t offset, unsigned char mask = 0) {
  address_v4::bytes_type out;
  for (std::size_t n = 0; n < 4; ++n) out[n] = bytes[offset + n] ^ mask;
  return address_v4(out);
}

// The IPv4 address that packets to this one end at, where there is one.
std::optional<address_v4> inner_v4(const address_v6::bytes_type& bytes) {
  if (starts_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return v4_at(bytes, 12);     // mapped
  if (starts_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) return v4_at(bytes, 12);           // compatible
  if (starts_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0})) return v4_at(bytes, 12);     // translated
  if (starts_with(bytes, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return v4_at(bytes, 12);  // NAT64
  if (starts_with(bytes, {0x20, 0x02})) return v4_at(bytes, 2);                                    // 6to4
  if (starts_with(bytes, {0x20, 0x01, 0, 0})) return v4_at(bytes, 12, 0xff);                       // Teredo client
  return std::nullopt;
}

Kind judge(const address_v6& given) {
  if (given.is_unspecified() || given.is_multicast() || given.is_link_local()) return Kind::kNever;
  if (given.is_loopback()) return Kind::kPrivate;
  const auto bytes = given.to_bytes();
  if (const auto inner = inner_v4(bytes)) return judge(*inner);
  if (starts_with(bytes, {0xfd, 0x00, 0x0e, 0xc2})) return Kind::kNever;     // metadata (AWS)
  if (starts_with(bytes, {0x00, 0x64, 0xff, 0x9b})) return Kind::kNever;     // NAT64 for local use: hides its target
  if ((bytes[0] & 0xfe) == 0xfc) return Kind::kPrivate;                      // unique local
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0xc0) return Kind::kPrivate;  // site-local, deprecated
  if ((bytes[0] & 0xe0) != 0x20) return Kind::kNever;                        // outside global unicast
  return Kind::kPublic;
}

Task<std::vector<address>> look_up(std::string host) {
  asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
  boost::system::error_code error;
  const auto found = co_await resolver.async_resolve(host, "", asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Error{Code::kUnavailable, fmt::format("\"{}\": {}", host, error.message())};
  std::vector<address> out;
  for (const auto& entry : found) out.push_back(entry.endpoint().address());
  co_return out;
}

}  // namespace

Result<void> vet_address(const address& given, Reach reach) {
  const Kind kind = given.is_v4() ? judge(given.to_v4()) : judge(given.to_v6());
  switch (kind) {
    case Kind::kPublic:
      return {};
    case Kind::kPrivate:
      if (reach == Reach::kPrivate) return {};
      return Error{Code::kPermissionDenied, fmt::format("{} is an address of a private network or of this machine; "
                                                        "only an administrator may configure that",
                                                        given.to_string())};
    case Kind::kNever:
      break;
  }
  return Error{Code::kPermissionDenied,
               fmt::format("{} is an address that tombolo never connects to", given.to_string())};
}

Resolve system_resolver() {
  return look_up;
}

Egress::Egress(EgressConfig config, Clock& clock, Resolve resolve)
    : config_(std::move(config)), clock_(clock), resolve_(std::move(resolve)) {}

Task<std::string> Egress::address(int turn) {
  const auto pick = [turn](const std::vector<std::string>& from) {
    return from[static_cast<std::size_t>(turn) % from.size()];
  };
  {
    const std::lock_guard lock(mutex_);
    if (!vetted_.empty() && clock_.steady() - looked_up_ < config_.addresses_age_max) co_return pick(vetted_);
  }
  std::vector<asio::ip::address> found;
  boost::system::error_code not_literal;
  const auto literal = asio::ip::make_address(config_.host, not_literal);
  if (not_literal) {
    CO_TRY_ASSIGN(found, resolve_(config_.host));
  } else {
    found.push_back(literal);
  }
  if (found.size() > kAddressesMax) found.resize(kAddressesMax);
  std::vector<std::string> vetted;
  for (const auto& each : found) {
    CO_CHECK(vet_address(each, config_.reach));
    const std::string text = each.to_string();
    if (std::find(vetted.begin(), vetted.end(), text) == vetted.end()) vetted.push_back(text);
  }
  if (vetted.empty()) co_return Error{Code::kUnavailable, fmt::format("\"{}\" has no address", config_.host)};
  const std::lock_guard lock(mutex_);
  vetted_ = std::move(vetted);
  looked_up_ = clock_.steady();
  co_return pick(vetted_);
}

}  // namespace tombolo::remote
