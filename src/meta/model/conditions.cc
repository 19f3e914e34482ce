#include "meta/model/conditions.h"

#include <algorithm>

namespace tombolo::meta {
namespace {

bool matches(const EtagMatch& match, Stamp etag) {
  return match.any || std::find(match.stamps.begin(), match.stamps.end(), etag) != match.stamps.end();
}

std::int64_t seconds(WallTime time) {
  return time.micros / 1'000'000;
}

}  // namespace

// RFC 9110 §13.2.2, and of writes Azure's "Specifying conditional headers for Blob service operations": an ETag
// condition makes its date twin (If-Match: If-Unmodified-Since; If-None-Match: If-Modified-Since) void.
Verdict judge(const Conditions& conditions, std::optional<Stamp> etag) {
  const std::int64_t modified = etag ? static_cast<std::int64_t>(etag->micros / 1'000'000) : 0;
  if (conditions.if_match) {
    if (!etag || !matches(*conditions.if_match, *etag)) return Verdict::kFailed;
  } else if (conditions.if_unmodified_since && etag) {
    if (modified > seconds(*conditions.if_unmodified_since)) return Verdict::kFailed;
  }
  if (!etag) return Verdict::kPass;
  if (conditions.if_none_match) {
    if (!matches(*conditions.if_none_match, *etag)) return Verdict::kPass;
    return conditions.if_none_match->any ? Verdict::kExists : Verdict::kNotModified;
  }
  if (conditions.if_modified_since && modified <= seconds(*conditions.if_modified_since)) return Verdict::kNotModified;
  return Verdict::kPass;
}

}  // namespace tombolo::meta
