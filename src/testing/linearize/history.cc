#include "testing/linearize/history.h"

#include <fmt/format.h>

#include "base/crc64.h"

namespace tombolo::testing::linearize {

namespace {
constexpr const char* kTagName = "tag";
}

meta::Metadata metadata_of(const std::string& tag) {
  return {{kTagName, tag}};
}

Sight sight_of(const meta::Object& object) {
  Sight sight{.etag = object.etag_stamp, .length = object.length, .crc64 = object.crc64, .tag = {}};
  if (!object.metadata.empty()) sight.tag = object.metadata.front().second;
  return sight;
}

bool matches(const std::optional<model::ObjectState>& state, const std::optional<Sight>& seen) {
  if (!state || !seen) return !state && !seen;
  return state->etag == seen->etag && state->bytes->size() == seen->length &&
         state->metadata == metadata_of(seen->tag) && crc64(*state->bytes) == seen->crc64;  // last: it takes longest
}

std::string describe(const Step& step) {
  std::string out = fmt::format("{:>6} - {:<6} client {}: {}", step.call,
                                step.answer == kNever ? "" : std::to_string(step.answer), step.client, step.text);
  if (!step.tag.empty()) out += fmt::format(", writes tag {}", step.tag);
  switch (step.outcome) {
    case Outcome::kAcknowledged:
      out += ": acknowledged";
      break;
    case Outcome::kRefused:
      out += ": refused as " + step.detail;
      break;
    case Outcome::kUnknown:
      out += ": no answer";
      break;
    case Outcome::kSaw:
      if (!step.sight) out += ": saw no object";
      break;
  }
  if (step.sight) {
    out += fmt::format(": {} bytes, tag {}, ETag {}", step.sight->length, step.sight->tag, step.sight->etag.micros);
  }
  return out;
}

}  // namespace tombolo::testing::linearize
