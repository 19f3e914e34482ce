#include "http/request_parser.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "http/framing.h"

namespace tombolo::http {
namespace {

constexpr std::size_t kMethodMax = 32;
constexpr std::size_t kHostMax = 255 + 6;  // a name and a port

bool is_name_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}
bool is_literal_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port <= 65'535;
}

// "name", "name:port", "[v6]" or "[v6]:port"; no user, no blanks, no list.
bool is_authority(std::string_view text) {
  if (text.empty() || text.size() > kHostMax) return false;
  const bool literal = text.front() == '[';
  const std::size_t end = literal ? text.find(']') : std::min(text.find(':'), text.size());
  if (end == std::string_view::npos) return false;
  const std::string_view name = literal ? text.substr(1, end - 1) : text.substr(0, end);
  const std::string_view rest = text.substr(literal ? end + 1 : end);
  if (name.empty() || !std::all_of(name.begin(), name.end(), literal ? is_literal_char : is_name_char)) return false;
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

std::string_view without(std::string_view authority, std::string_view port) {
  if (authority.ends_with(port)) authority.remove_suffix(port.size());
  return authority;
}

// Printable ASCII without blanks; "#" starts a fragment, which is never sent.
bool is_target_char(char c) {
  return c > 0x20 && c < 0x7F && c != '#';
}

}  // namespace

Parsed<Progress> RequestParser::advance(std::string_view buffer) {
  return advance_head(
      lines_, buffer, head_.headers, [this](std::string_view line) { return take_request_line(line); },
      [this] { return finish(); });
}

Parsed<void> RequestParser::take_request_line(std::string_view line) {
  if (line == "PRI * HTTP/2.0") return std::unexpected(Failure::kHttp2Preface);
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return std::unexpected(Failure::kBadStartLine);
  const std::string_view method = line.substr(0, first), target = line.substr(first + 1, last - first - 1);
  if (!is_token(method) || method.size() > kMethodMax) return std::unexpected(Failure::kBadStartLine);
  const auto version = parse_version(line.substr(last + 1));
  if (!version) return std::unexpected(version.error());
  head_.version = *version;
  head_.method = method;
  if (method == "TRACE" || method == "CONNECT") return std::unexpected(Failure::kMethodRefused);
  return take_target(target);
}

Parsed<void> RequestParser::take_target(std::string_view target) {
  if (target.empty() || !std::all_of(target.begin(), target.end(), is_target_char)) {
    return std::unexpected(Failure::kBadTarget);
  }
  if (target.front() == '/' || (target == "*" && head_.method == "OPTIONS")) {
    head_.target = target;
    return {};
  }
  const std::size_t mark = target.find("://");
  const std::string_view scheme = target.substr(0, std::min(mark, target.size()));
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) {
    return std::unexpected(Failure::kBadTarget);
  }
  if (mark == std::string_view::npos) return std::unexpected(Failure::kBadTarget);
  const std::string_view rest = target.substr(mark + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (!is_authority(rest.substr(0, end))) return std::unexpected(Failure::kBadTarget);
  authority_ = rest.substr(0, end);
  default_port_ = equal_ignoring_case(scheme, "https") ? ":443" : ":80";
  head_.target = rest.substr(end);
  if (head_.target.empty() || head_.target.front() != '/') head_.target.insert(0, 1, '/');
  return {};
}

Parsed<void> RequestParser::finish() {
  const std::size_t hosts = head_.headers.count("Host");
  const bool optional = head_.version == Version::kHttp10;
  if (hosts > 1 || (hosts == 0 && !optional)) return std::unexpected(Failure::kBadHost);
  if (hosts == 1) {
    head_.host = *head_.headers.get("Host");
    if (!is_authority(head_.host)) return std::unexpected(Failure::kBadHost);
    const bool same = equal_ignoring_case(without(authority_, default_port_), without(head_.host, default_port_));
    if (!authority_.empty() && !same) return std::unexpected(Failure::kHostMismatch);
  } else {
    head_.host = authority_;
  }
  const auto framing = judge_framing(head_.headers, head_.version);
  if (!framing) return std::unexpected(framing.error());
  head_.content_length = framing->content_length;
  head_.chunked = framing->chunked;
  const bool sends = head_.method == "PUT" || head_.method == "POST" || head_.method == "PATCH";
  if (sends && !head_.chunked && !head_.content_length) return std::unexpected(Failure::kLengthRequired);
  head_.keep_alive = judge_keep_alive(head_.headers, head_.version);
  // Other expectations are ignored: clients of S3 rely on it [20]. HTTP/1.0 has no 100.
  const auto expect = head_.headers.get("Expect");
  head_.expect_continue = expect && equal_ignoring_case(*expect, "100-continue") && head_.version == Version::kHttp11;
  return {};
}

}  // namespace tombolo::http
