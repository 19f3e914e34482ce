#include "meta/model/remote_place.h"

#include <algorithm>

#include "base/ascii.h"

namespace tombolo::meta {
namespace {

/// Of an absolute path.
std::string plain_directory(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      out.resize(std::min(out.rfind('/'), out.size()));
    } else {
      out.append("/").append(name);
    }
  }
  return out;
}

std::string plain_url(std::string_view url) {
  constexpr std::string_view kTls = "https://";
  while (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t path = std::min(url.find('/', host), url.size());
  std::string authority = lower(url.substr(0, path));
  const std::string_view port = authority.starts_with(kTls) ? ":443" : ":80";
  if (authority.ends_with(port)) authority.resize(authority.size() - port.size());
  return authority + std::string(url.substr(path));
}

}  // namespace

bool same_endpoint(std::string_view kind, std::string_view a, std::string_view b) {
  if (kind == "file") return plain_directory(a) == plain_directory(b);
  return plain_url(a) == plain_url(b);
}

bool same_place(const RemoteConfig& a, const RemoteConfig& b) {
  return a.kind == b.kind && a.bucket == b.bucket && same_endpoint(a.kind, a.endpoint, b.endpoint);
}

std::string without_end_dots(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '/') out.resize(out.find_last_not_of('.') + 1);
    out += c;
  }
  out.resize(out.find_last_not_of('.') + 1);
  return out == key ? std::string() : out;
}

}  // namespace tombolo::meta
