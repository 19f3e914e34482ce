// Where a container is: the endpoint's URL taken apart, and the targets of requests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tombolo::remote::azure {

struct Endpoint {
  std::string host;       // name or IP literal, IPv6 without brackets
  std::string authority;  // as in the URL: the Host header
  std::uint16_t port = 80;
  bool tls = false;
  std::string base;  // "" host style, "/account" path style; encoded, without a slash at its end

  /// "https://host[:port][/account]", or "http://…". kInvalid for anything else in it (user, query, fragment).
  static Result<Endpoint> parse(std::string_view url);
};

/// kInvalid for a container name that Azure would not take.
Result<void> check_container(std::string_view container);
/// kInvalid for what no request can name: empty, over 1,024 characters, not UTF-8, with a NUL, with a backslash, which
/// becomes a slash, or with a segment "." or "..", which are folded on the way.
Result<void> check_key(std::string_view key);
/// The same, and kInvalid for what Azure would keep under another name: it cuts off dots at the end of a segment
/// (Azure/azure-sdk-for-java#36674, Azure/azure-storage-ruby#191). Nothing is put there, but what was is found and
/// goes.
Result<void> check_new_key(std::string_view key);

/// Path of a blob or, with an empty key, of the container; encoded.
std::string path_of(const Endpoint& endpoint, std::string_view container, std::string_view key);

/// ETags travel quoted; a RemoteObject's has no quotes.
std::string quoted(std::string_view etag);
std::string unquoted(std::string_view etag);

}  // namespace tombolo::remote::azure
