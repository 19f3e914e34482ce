// Address: which account, container and blob a request names. Path style and host style on one port.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/azure_blob/level.h"

namespace tombolo::azure_blob {

inline constexpr std::string_view kRootContainer = "$root";
inline constexpr std::size_t kBlobNameCharactersMax = 1'024;

struct Address {
  std::string account;
  std::string container;  // empty at the level of the service
  std::string blob;       // decoded once, opaque ("..", "//" and "\" mean nothing here); empty above the blob
  std::string endpoint;   // "http://host/" or "http://host/account/", as listings tell it

  Level level() const {
    if (container.empty()) return Level::kService;
    return blob.empty() ? Level::kContainer : Level::kBlob;
  }
};

/// What one lone segment behind the account means: /name is a blob of $root unless the query says restype=container or
/// restype=account.
enum class LoneSegment { kBlobInRoot, kContainer };

struct AddressParts {
  std::string_view host = {};  // of the Host header, with or without a port
  std::string_view path = {};  // raw: percent-encoded, without the query
  LoneSegment lone = LoneSegment::kBlobInRoot;
  std::string_view scheme = "http";
};

/// Host style is ACCOUNT.blob.ANYTHING[:port]; every other host (an IP literal, localhost, a name of your own) is path
/// style, with the account as the first segment. The path is percent-decoded exactly once; %2F is a '/'.
/// InvalidUri: bad escapes, NUL, no UTF-8, no account. InvalidResourceName: a container name that Azure would not take.
/// OutOfRangeInput: a container name that is not 3 to 63 long, a blob name over 1,024 characters.
/// EndpointUnsupportedAccountFeatures: ACCOUNT.dfs.ANYTHING and the other services' hosts, not built.
Result<Address> parse_address(AddressParts parts);

/// 3 to 63 of a-z, 0-9 and single '-' inside; or $root, $logs, $web.
Result<void> check_container_name(std::string_view name);

}  // namespace tombolo::azure_blob
