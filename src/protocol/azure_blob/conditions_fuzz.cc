// If-Match and its kin, and the ETags in them.
#include "protocol/azure_blob/conditions.h"

#include "base/times.h"
#include "protocol/azure_blob/etag.h"
#include "testing/fuzz.h"

namespace tombolo::azure_blob {
namespace {

Result<meta::Conditions> parse(std::string_view name, std::string_view value) {
  http::Headers headers;
  headers.add(name, value);
  return parse_conditions(headers);
}

void check_match(const meta::EtagMatch& match, std::string_view name, bool none) {
  ASSERT(!match.any || match.stamps.empty());
  if (match.any || match.stamps.empty()) return;
  std::string list;
  for (const Stamp stamp : match.stamps) list += (list.empty() ? "" : " ,\t") + etag_header(stamp);
  const auto again = parse(name, list);
  ASSERT(again.ok());
  const auto& reread = none ? again->if_none_match : again->if_match;
  ASSERT(reread && !reread->any && reread->stamps == match.stamps);
}

}  // namespace

FUZZ(azure_conditions) {
  const fuzz::Exact copy(as_text(input));
  const auto match = parse("If-Match", copy.text());
  const auto none = parse("If-None-Match", copy.text());
  ASSERT(match.ok() == none.ok());
  if (match.ok() && match->if_match) {
    ASSERT(none->if_none_match && none->if_none_match->stamps == match->if_match->stamps);
    check_match(*match->if_match, "If-Match", false);
    check_match(*none->if_none_match, "If-None-Match", true);
  }
  const auto since = parse("If-Modified-Since", copy.text());
  if (since.ok() && since->if_modified_since) {
    const WallTime time = *since->if_modified_since;
    ASSERT(parse("If-Unmodified-Since", http_date(time))->if_unmodified_since == time);
  }
  if (const auto stamp = parse_etag(copy.text())) {
    ASSERT(parse_etag(etag_text(*stamp)) == stamp && parse_etag(etag_header(*stamp)) == stamp);
  }
}

}  // namespace tombolo::azure_blob
