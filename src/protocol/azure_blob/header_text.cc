#include "protocol/azure_blob/header_text.h"

#include <fmt/format.h>

#include <charconv>

#include "base/ascii.h"
#include "protocol/azure_blob/errors.h"

namespace tombolo::azure_blob {

Result<std::optional<std::string_view>> only(const http::Headers& headers, std::string_view name) {
  std::optional<std::string_view> value;
  for (const http::Headers::Field field : headers) {
    if (!equal_ignoring_case(field.name, name)) continue;
    if (value) return refuse(codes::kInvalidHeaderValue, fmt::format("The header {} is given twice.", name));
    value = trim(field.value);
  }
  if (value && value->empty()) value.reset();
  return value;
}

Result<bool> flag(const http::Headers& headers, std::string_view name) {
  TRY_ASSIGN(const std::optional<std::string_view> value, only(headers, name));
  if (!value || equal_ignoring_case(*value, "false")) return false;
  if (equal_ignoring_case(*value, "true")) return true;
  return refuse(codes::kInvalidHeaderValue, fmt::format("The header {} must be true or false.", name));
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_service_version(std::string_view text) {
  if (text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : (text[i] < '0' || text[i] > '9')) return false;
  }
  return true;
}

Result<std::uint64_t> body_length(const http::RequestHead& head, std::uint64_t limit) {
  if (!head.content_length) return refuse(codes::kMissingContentLengthHeader, "");
  if (*head.content_length > limit) {
    return refuse(codes::kRequestBodyTooLarge, fmt::format("The limit here is {} bytes.", limit));
  }
  return *head.content_length;
}

}  // namespace tombolo::azure_blob
