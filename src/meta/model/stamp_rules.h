// Which operation moves which stamp: the one table (docs/formats/stamps.md, core.md §5).
#pragma once

#include <array>
#include <string_view>

#include "meta/model/object.h"

namespace tombolo::meta {

/// What happens to an object that stays, or comes to be.
enum class Change {
  kPutObject,
  kCommitBlockList,
  kSetHeaders,
  kSetMetadata,
  kStageBlock,
  kRename,
  kOffload,
  kEvict,
  kRecall,
  kCompaction,
};

enum class Metageneration { kStays, kUp, kOne };

struct StampRule {
  Change change;
  std::string_view name;
  bool created, version, content, etag;  // true: becomes the operation's stamp
  Metageneration metageneration;
};

inline constexpr auto kStampRules = std::to_array<StampRule>({
    {Change::kPutObject, "put object", true, true, true, true, Metageneration::kOne},
    {Change::kCommitBlockList, "commit block list", true, true, true, true, Metageneration::kOne},
    {Change::kSetHeaders, "set headers", false, false, false, true, Metageneration::kUp},
    {Change::kSetMetadata, "set metadata", false, true, false, true, Metageneration::kUp},
    {Change::kStageBlock, "stage block", false, false, false, false, Metageneration::kStays},
    {Change::kRename, "rename", false, false, false, false, Metageneration::kStays},
    {Change::kOffload, "offload", false, false, false, false, Metageneration::kStays},
    {Change::kEvict, "evict", false, false, false, false, Metageneration::kStays},
    {Change::kRecall, "recall", false, false, false, false, Metageneration::kStays},
    {Change::kCompaction, "compaction", false, false, false, false, Metageneration::kStays},
});

constexpr bool stamp_rules_are_in_order() {
  for (std::size_t i = 0; i < kStampRules.size(); ++i) {
    if (kStampRules[i].change != static_cast<Change>(i)) return false;
  }
  return true;
}
static_assert(stamp_rules_are_in_order(), "kStampRules is indexed by Change");

constexpr const StampRule& stamp_rule(Change change) {
  return kStampRules[static_cast<std::size_t>(change)];
}

/// Applies the rule of `change` with the operation's stamp.
inline void move_stamps(Object& object, Change change, Stamp now) {
  const StampRule& rule = stamp_rule(change);
  if (rule.created) object.created = now;
  if (rule.version) object.version_stamp = now;
  if (rule.content) object.content_stamp = now;
  if (rule.etag) object.etag_stamp = now;
  if (rule.metageneration == Metageneration::kUp) ++object.metageneration;
  if (rule.metageneration == Metageneration::kOne) object.metageneration = 1;
}

}  // namespace tombolo::meta
