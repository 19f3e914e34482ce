#include "protocol/azure_blob/conditions.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "base/times.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/etag.h"
#include "protocol/azure_blob/header_text.h"

namespace tombolo::azure_blob {
namespace {

Result<std::optional<meta::EtagMatch>> etags(const http::Headers& headers, std::string_view name) {
  TRY_ASSIGN(const std::optional<std::string_view> given, only(headers, name));
  std::optional<meta::EtagMatch> none;
  if (!given) return none;
  meta::EtagMatch match;
  if (*given == "*") {
    match.any = true;
    return std::optional(std::move(match));
  }
  std::string_view rest = *given;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view one = trim(rest.substr(0, comma));
    if (one.empty()) return refuse(codes::kInvalidHeaderValue, fmt::format("{} has an empty ETag.", name));
    if (const std::optional<Stamp> stamp = parse_etag(one)) match.stamps.push_back(*stamp);
    if (comma == std::string_view::npos) return std::optional(std::move(match));
    rest.remove_prefix(comma + 1);
  }
}

Result<std::optional<WallTime>> date(const http::Headers& headers, std::string_view name) {
  TRY_ASSIGN(const std::optional<std::string_view> given, only(headers, name));
  std::optional<WallTime> none;
  if (!given) return none;
  const std::optional<WallTime> time = parse_http_date(*given);
  if (!time) {
    return refuse(codes::kInvalidHeaderValue,
                  fmt::format("{} is not a date like Sun, 06 Nov 1994 08:49:37 GMT.", name));
  }
  return time;
}

}  // namespace

Result<meta::Conditions> parse_conditions(const http::Headers& headers) {
  meta::Conditions conditions;
  TRY_ASSIGN(conditions.if_match, etags(headers, "If-Match"));
  TRY_ASSIGN(conditions.if_none_match, etags(headers, "If-None-Match"));
  TRY_ASSIGN(conditions.if_modified_since, date(headers, "If-Modified-Since"));
  TRY_ASSIGN(conditions.if_unmodified_since, date(headers, "If-Unmodified-Since"));
  return conditions;
}

Result<meta::Conditions> parse_read_conditions(const http::Headers& headers) {
  TRY_ASSIGN(meta::Conditions conditions, parse_conditions(headers));
  if (conditions.if_none_match && conditions.if_none_match->any) return refuse(codes::kUnsatisfiableCondition, "");
  return conditions;
}

}  // namespace tombolo::azure_blob
