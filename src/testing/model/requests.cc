#include "testing/model/requests.h"

#include <algorithm>

namespace tombolo::testing::model {

namespace {
constexpr std::size_t kStep = 20'000;  // of bodies as they come in
}

Task<Block> SteppedBody::next() {
  if (pace_ != nullptr) {
    CO_TRY(pace_->pause());
  }
  const std::size_t length = std::min(rest_.size(), kStep);
  const Block out = rest_.slice(0, length);
  rest_ = rest_.slice(length, rest_.size() - length);
  co_return out;
}

meta::Conditions to_conditions(Precondition condition, std::optional<Stamp> etag) {
  meta::Conditions out;
  switch (condition) {
    case Precondition::kNone:
      break;
    case Precondition::kAbsent:
      out.if_none_match = meta::EtagMatch{.any = true, .stamps = {}};
      break;
    case Precondition::kPresent:
      out.if_match = meta::EtagMatch{.any = true, .stamps = {}};
      break;
    case Precondition::kCurrent:
    case Precondition::kStale:
      out.if_match = meta::EtagMatch{.any = false, .stamps = {etag.value()}};
      break;
  }
  return out;
}

std::vector<store::BlockChoice> parse_choices(std::string_view text) {
  std::vector<store::BlockChoice> out;
  for (std::size_t at = 0; at + 1 < text.size(); at += 3) {
    store::BlockChoice choice;
    if (text[at] == 'c') choice.source = store::BlockSource::kCommitted;
    if (text[at] == 'u') choice.source = store::BlockSource::kUncommitted;
    choice.block_id = text.substr(at + 1, 1);
    out.push_back(std::move(choice));
  }
  return out;
}

bool lies_in_the_state(const Error& error) {
  return !error.detail.empty() &&
         (error.code == Code::kConditionFailed || error.code == Code::kNotFound || error.code == Code::kInvalid);
}

}  // namespace tombolo::testing::model
