#include "http/serialize.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "http/head_lines.h"

namespace tombolo::http {
namespace {

template <std::size_t N>
bool among(const std::string_view (&names)[N], std::string_view name) {
  return std::any_of(names, names + N, [&](std::string_view one) { return equal_ignoring_case(one, name); });
}

// False when a field must not reach the wire.
template <std::size_t N>
bool append_fields(std::string& out, const Headers& headers, const std::string_view (&dropped)[N]) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const Headers::Field field = headers[i];
    if (among(dropped, field.name)) continue;
    if (!is_token(field.name) || !is_field_value(field.value)) return false;
    out += headers.line(i);
  }
  return true;
}

void append_number(std::string& out, std::uint64_t number) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

void append_length(std::string& out, std::optional<std::uint64_t> length) {
  if (!length) return;
  out += "Content-Length: ";
  append_number(out, *length);
  out += "\r\n";
}

constexpr std::size_t kHeadSizeUsual = 1024;

}  // namespace

Result<std::string> render(const ResponseHead& head, const ResponseExtras& extras) {
  static constexpr std::string_view kOurs[] = {"Date", "Server", "Connection", "Content-Length", "Transfer-Encoding"};
  const std::string_view reason = head.reason.empty() ? reason_phrase(head.status) : std::string_view(head.reason);
  std::string out;
  out.reserve(kHeadSizeUsual);
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(head.status));
  out.append(" ").append(reason).append("\r\nServer: tombolo\r\nDate: ").append(extras.date).append("\r\n");
  append_length(out, extras.content_length);
  if (extras.close) out += "Connection: close\r\n";
  const bool status_fits = head.status >= 100 && head.status <= 599 && is_field_value(reason);
  if (!status_fits || !append_fields(out, head.headers, kOurs)) {
    return Error{Code::kInternal, "the answer's head contains what would break its framing"};
  }
  out += "\r\n";
  return out;
}

Result<std::string> render(const Headers& headers, const RequestExtras& extras) {
  static constexpr std::string_view kOurs[] = {"Connection", "Content-Length", "Transfer-Encoding"};
  const auto visible = [](char c) { return c > 0x20 && c < 0x7F; };
  std::string out;
  out.reserve(kHeadSizeUsual);
  out.append(extras.method).append(" ").append(extras.target).append(" HTTP/1.1\r\n");
  if (!headers.has("Host")) out.append("Host: ").append(extras.host).append("\r\n");
  append_length(out, extras.content_length);
  const bool line_fits = is_token(extras.method) && !extras.target.empty() && is_field_value(extras.host) &&
                         std::all_of(extras.target.begin(), extras.target.end(), visible);
  if (!line_fits || !append_fields(out, headers, kOurs)) {
    return Error{Code::kInvalid, "the request's head contains what would break its framing"};
  }
  out += "\r\n";
  return out;
}

}  // namespace tombolo::http
