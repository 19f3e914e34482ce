#include "meta/model/read_conditions.h"

namespace tombolo::meta {

Verdict judge_read(const Conditions& conditions, Stamp etag) {
  // Each by itself: beside its twin, judge() would take a date for void.
  Conditions match, unmodified, none_match, modified;
  match.if_match = conditions.if_match;
  unmodified.if_unmodified_since = conditions.if_unmodified_since;
  none_match.if_none_match = conditions.if_none_match;
  modified.if_modified_since = conditions.if_modified_since;
  if (judge(match, etag) != Verdict::kPass || judge(unmodified, etag) != Verdict::kPass) return Verdict::kFailed;
  if (!conditions.if_none_match) return judge(modified, etag);
  const Verdict verdict = judge(none_match, etag);
  if (verdict == Verdict::kPass || !conditions.if_modified_since) return verdict;
  return judge(modified, etag);
}

}  // namespace tombolo::meta
