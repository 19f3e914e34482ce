#include "remote/azure/endpoint.h"

#include <fmt/format.h>

#include <charconv>

#include "base/encoding.h"

namespace tombolo::remote::azure {
namespace {

constexpr std::size_t kKeyCharactersMax = 1'024;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view url) {
  const auto bad = [url] { return Error{Code::kInvalid, fmt::format("\"{}\" is not an endpoint's URL", url)}; };
  constexpr std::string_view kPlain = "http://", kTls = "https://";
  Endpoint out;
  out.tls = url.starts_with(kTls);
  if (!out.tls && !url.starts_with(kPlain)) return bad();
  out.port = out.tls ? 443 : 80;
  for (const char c : url) {
    if (c <= 0x20 || c >= 0x7f || c == '?' || c == '#' || c == '@' || c == '\\') return bad();
  }
  std::string_view rest = url.substr(out.tls ? kTls.size() : kPlain.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  out.authority = rest.substr(0, slash);
  out.base = rest.substr(slash);
  while (out.base.ends_with('/')) out.base.pop_back();

  std::string_view host = out.authority, port;
  if (host.starts_with('[')) {
    const std::size_t close = host.find(']');
    if (close == std::string_view::npos) return bad();
    port = host.substr(close + 1);
    host = host.substr(1, close - 1);
    if (!port.empty() && !port.starts_with(':')) return bad();
    if (!port.empty()) port.remove_prefix(1);
  } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
    if (port.empty()) return bad();
  }
  if (!port.empty()) {
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || out.port == 0) return bad();
  }
  out.host = host;
  if (out.host.empty()) return bad();
  return out;
}

Result<void> check_container(std::string_view container) {
  bool good = container.size() >= 3 && container.size() <= 63 && is_lower_or_digit(container.front()) &&
              is_lower_or_digit(container.back()) && container.find("--") == std::string_view::npos;
  for (const char c : container) good = good && (is_lower_or_digit(c) || c == '-');
  if (good || container == "$root") return {};
  return Error{Code::kInvalid, fmt::format("\"{}\" is not a container's name", container)};
}

namespace {

Error cannot_keep(std::string_view key, std::string_view why) {
  return {Code::kInvalid, fmt::format("Azure cannot keep a blob named \"{}\": {}", key, why)};
}

template <class Test>
bool any_segment(std::string_view key, Test test) {
  for (;;) {
    const std::size_t end = std::min(key.find('/'), key.size());
    if (test(key.substr(0, end))) return true;
    if (end == key.size()) return false;
    key.remove_prefix(end + 1);
  }
}

}  // namespace

Result<void> check_key(std::string_view key) {
  const auto bad = [key](std::string_view why) { return cannot_keep(key, why); };
  if (key.empty()) return bad("the name is empty");
  if (!is_utf8(key)) return bad("it is not UTF-8");
  if (key.find('\0') != std::string_view::npos) return bad("it has a NUL");
  if (key.find('\\') != std::string_view::npos) return bad("it has a backslash, which becomes a slash");
  std::size_t characters = 0;
  for (const char c : key) characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  if (characters > kKeyCharactersMax) return bad("it is longer than 1,024 characters");
  if (any_segment(key, [](std::string_view segment) { return segment == "." || segment == ".."; })) {
    return bad("a segment of it is \".\" or \"..\", which are folded on the way");
  }
  return {};
}

Result<void> check_new_key(std::string_view key) {
  TRY(check_key(key));
  if (!any_segment(key, [](std::string_view segment) { return segment.ends_with('.'); })) return {};
  return cannot_keep(key, "a segment of it ends in a dot, which is cut off");
}

std::string path_of(const Endpoint& endpoint, std::string_view container, std::string_view key) {
  std::string path = fmt::format("{}/{}", endpoint.base, percent_encode(container, "$"));
  if (!key.empty()) path += "/" + percent_encode(key, "/");
  return path;
}

std::string quoted(std::string_view etag) {
  return fmt::format("\"{}\"", etag);
}

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

}  // namespace tombolo::remote::azure
