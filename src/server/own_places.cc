#include "server/own_places.h"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <filesystem>

namespace tombolo::server {
namespace {

namespace fs = std::filesystem;

bool is_here(const std::string& host, const Endpoint& blob) {
  if (host == "localhost" || host == blob.address) return true;
  boost::system::error_code bad;
  const auto address = boost::asio::ip::make_address(host, bad);
  return !bad && (address.is_loopback() || address.is_unspecified());
}

bool is_own_listener(std::string_view url, const Endpoint& blob) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  std::uint16_t port = url.starts_with("https") ? 443 : 80;
  std::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find('/'));
  std::string_view host = authority;
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    host = authority.substr(0, colon);
    std::from_chars(authority.data() + colon + 1, authority.data() + authority.size(), port);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return port == blob.port && is_here(std::string(host), blob);
}

bool is_inside(std::string_view path, const std::string& directory) {
  std::error_code bad;
  const fs::path inner = fs::weakly_canonical(fs::path(path), bad);
  const fs::path outer = fs::weakly_canonical(fs::absolute(directory, bad), bad);
  const fs::path between = inner.lexically_relative(outer);
  return !between.empty() && *between.begin() != "..";
}

}  // namespace

Result<void> check_not_own(std::string_view endpoint, const Endpoint& blob, const std::string& data) {
  if (is_own_listener(endpoint, blob)) {
    return Error{
        Code::kInvalid,
        fmt::format("{} is this server itself: cold bytes must go somewhere else, so name another store", endpoint)};
  }
  if (endpoint.starts_with('/') && is_inside(endpoint, data)) {
    return Error{Code::kInvalid, fmt::format("{} lies in this server's data directory {}: name a directory outside it, "
                                             "best on another disk",
                                             endpoint, data)};
  }
  return {};
}

}  // namespace tombolo::server
