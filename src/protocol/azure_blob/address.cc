#include "protocol/azure_blob/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/encoding.h"
#include "http/message.h"
#include "protocol/azure_blob/errors.h"

namespace tombolo::azure_blob {
namespace {

constexpr std::size_t kAccountMax = 63;

bool is_lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_account(std::string_view name) {
  return !name.empty() && name.size() <= kAccountMax &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_lower_alnum(c) || c == '-'; });
}

struct HostStyle {
  std::string account;
  std::string service;  // lower case
};

// "account.service.anything", service one of Azure's; nothing else is host style.
std::optional<HostStyle> host_style(std::string_view host) {
  const std::string_view name = host.substr(0, host.find(':'));
  const std::size_t first = name.find('.');
  if (first == std::string_view::npos || first == 0) return std::nullopt;
  const std::size_t second = name.find('.', first + 1);
  if (second == std::string_view::npos || second + 1 == name.size()) return std::nullopt;
  const std::string_view service = name.substr(first + 1, second - first - 1);
  for (const std::string_view known : {"blob", "dfs", "file", "queue", "table"}) {
    if (!equal_ignoring_case(service, known)) continue;
    HostStyle found{lower(name.substr(0, first)), std::string(known)};
    return found;
  }
  return std::nullopt;
}

struct Cut {
  std::string_view segment, rest;
  bool slash = false;  // a '/' followed the segment
};

Cut cut(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {path, {}, false};
  return {path.substr(0, slash), path.substr(slash + 1), true};
}

Result<std::string> decode(std::string_view text) {
  std::optional<std::string> decoded = percent_decode(text);
  if (!decoded) return refuse(codes::kInvalidUri, "The path has a bad percent escape.");
  if (decoded->find('\0') != std::string::npos) return refuse(codes::kInvalidUri, "The path contains a NUL.");
  if (!is_utf8(*decoded)) return refuse(codes::kInvalidUri, "The path is not UTF-8.");
  return *std::move(decoded);
}

Result<void> check_blob_name(std::string_view name) {
  const auto characters = static_cast<std::size_t>(
      std::count_if(name.begin(), name.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  if (characters <= kBlobNameCharactersMax) return {};
  return refuse(codes::kOutOfRangeInput, fmt::format("A blob name has at most {} characters, this one has {}.",
                                                     kBlobNameCharactersMax, characters));
}

Result<Address> below_account(Address address, std::string_view path, LoneSegment lone) {
  if (path.empty()) return address;
  const Cut first = cut(path);
  if (!first.slash && lone == LoneSegment::kBlobInRoot) {
    address.container = kRootContainer;
    TRY_ASSIGN(address.blob, decode(first.segment));
  } else {
    TRY_ASSIGN(address.container, decode(first.segment));
    TRY(check_container_name(address.container));
    TRY_ASSIGN(address.blob, decode(first.rest));
  }
  TRY(check_blob_name(address.blob));
  return address;
}

}  // namespace

Result<void> check_container_name(std::string_view name) {
  constexpr std::array kSpecial = {kRootContainer, std::string_view("$logs"), std::string_view("$web")};
  if (std::find(kSpecial.begin(), kSpecial.end(), name) != kSpecial.end()) return {};
  if (name.size() < 3 || name.size() > 63) {
    return refuse(codes::kOutOfRangeInput, "A container name has 3 to 63 characters.");
  }
  const bool known = std::all_of(name.begin(), name.end(), [](char c) { return is_lower_alnum(c) || c == '-'; });
  if (!known || name.front() == '-' || name.back() == '-' || name.find("--") != std::string_view::npos) {
    return refuse(codes::kInvalidResourceName,
                  "A container name has lower-case letters, digits, and single hyphens between them.");
  }
  return {};
}

Result<Address> parse_address(AddressParts parts) {
  if (parts.path.empty() || parts.path.front() != '/') {
    return refuse(codes::kInvalidUri, "The path must start with a slash.");
  }
  std::string_view path = parts.path.substr(1);
  Address address;
  if (std::optional<HostStyle> host = host_style(parts.host)) {
    if (host->service != "blob") {
      return refuse(codes::kEndpointUnsupportedAccountFeatures,
                    fmt::format("The {} service is not built yet: only the blob service is.", host->service));
    }
    address.account = std::move(host->account);
    address.endpoint.append(parts.scheme).append("://").append(parts.host).append("/");
  } else {
    const Cut first = cut(path);
    TRY_ASSIGN(address.account, decode(first.segment));
    address.endpoint.append(parts.scheme).append("://").append(parts.host).append("/");
    address.endpoint.append(address.account).append("/");
    path = first.rest;
  }
  if (!is_account(address.account)) {
    return refuse(codes::kInvalidUri, "The address names no account: use /ACCOUNT/CONTAINER/BLOB.");
  }
  return below_account(std::move(address), path, parts.lone);
}

}  // namespace tombolo::azure_blob
