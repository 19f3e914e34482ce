#include "testing/linearize/name_checker.h"

#include <algorithm>

#include "base/assert.h"

namespace tombolo::testing::linearize {

namespace {

constexpr std::size_t kSlotsMax = 64;  // operations of one name under way at once
constexpr std::size_t kConfigurationsMax = 100'000;

/// Equal states of equal history: a commit makes the bytes of its blocks anew each time.
bool same(const model::KeyState& a, const model::KeyState& b) {
  if (a.object.has_value() != b.object.has_value() || a.staged != b.staged) return false;
  if (!a.object) return true;
  if (a.object->etag != b.object->etag || a.object->metadata != b.object->metadata) return false;
  if (a.object->blocks != b.object->blocks) return false;
  return !a.object->blocks.empty() || a.object->bytes == b.object->bytes || *a.object->bytes == *b.object->bytes;
}

bool only_looks(const Step& step) {
  return step.outcome == Outcome::kSaw || step.outcome == Outcome::kRefused;
}

bool fits(const Step& step, const model::KeyState& state) {
  if (step.outcome == Outcome::kSaw) return step.fits(state);
  const auto changed = step.change(state);
  const auto* refusal = std::get_if<std::string>(&changed);
  return refusal != nullptr && *refusal == step.detail;
}

}  // namespace

NameChecker::NameChecker(const Steps& steps, const Etags& etags, const std::vector<model::KeyState>& before)
    : steps_(steps), etags_(etags), at_rest_(before) {
  for (const State& state : before) add(now_, {state, 0});
}

void NameChecker::add(Configurations& set, Configuration configuration) {
  const bool known = std::any_of(set.begin(), set.end(), [&](const Configuration& there) {
    return there.done == configuration.done && same(there.state, configuration.state);
  });
  if (known) return;
  ASSERT(set.size() < kConfigurationsMax);
  set.push_back(std::move(configuration));
}

std::optional<model::KeyState> NameChecker::happen(const Step& step, const State& state) const {
  auto changed = step.change(state);
  if (!std::holds_alternative<State>(changed)) return std::nullopt;
  State next = std::get<State>(std::move(changed));
  if (step.tag.empty()) return next;
  ASSERT(next.object);
  const auto etag = etags_.find(step.tag);
  next.object->etag = etag == etags_.end() ? std::nullopt : std::optional(etag->second);
  const bool grows =
      !state.object || !state.object->etag || !next.object->etag || *next.object->etag > *state.object->etag;
  if (!grows || (step.sight && !matches(next.object, step.sight))) return std::nullopt;
  return next;
}

void NameChecker::look(Configuration& configuration, std::size_t slot) const {
  const Step* step = open_[slot];
  const std::uint64_t bit = std::uint64_t{1} << slot;
  if (step == nullptr || !only_looks(*step) || (configuration.done & bit) != 0) return;
  if (fits(*step, configuration.state)) configuration.done |= bit;
}

void NameChecker::explore(const Configuration& from, std::size_t slot, Configurations& tried,
                          Configurations& out) const {
  for (std::size_t other = 0; other < open_.size(); ++other) {
    const Step* step = open_[other];
    const std::uint64_t bit = std::uint64_t{1} << other;
    if (step == nullptr || only_looks(*step) || (from.done & bit) != 0) continue;
    auto state = happen(*step, from.state);
    if (!state) continue;
    Configuration next{*std::move(state), from.done | bit};
    for (std::size_t looker = 0; looker < open_.size(); ++looker) look(next, looker);
    if ((next.done >> slot & 1) != 0) {
      add(out, std::move(next));
      continue;
    }
    const std::size_t before = tried.size();
    add(tried, next);
    if (tried.size() != before) explore(next, slot, tried, out);
  }
}

void NameChecker::called(std::size_t step) {
  if (under_way_ == 0) {
    rest_ = steps_[step].call;
    at_rest_.clear();
    for (const Configuration& configuration : now_) at_rest_.push_back(configuration.state);
  }
  ++under_way_;
  auto slot = std::find(open_.begin(), open_.end(), nullptr);
  if (slot == open_.end()) slot = open_.insert(open_.end(), nullptr);
  ASSERT(open_.size() <= kSlotsMax);
  *slot = &steps_[step];
  for (Configuration& configuration : now_) look(configuration, static_cast<std::size_t>(slot - open_.begin()));
}

bool NameChecker::answered(std::size_t step) {
  const auto slot = static_cast<std::size_t>(std::find(open_.begin(), open_.end(), &steps_[step]) - open_.begin());
  const std::uint64_t bit = std::uint64_t{1} << slot;
  Configurations reached, tried;
  for (const Configuration& configuration : now_) {
    const bool done = (configuration.done & bit) != 0;
    // Whoever never answered may also never have done anything.
    if (done || steps_[step].outcome == Outcome::kUnknown) add(reached, configuration);
    if (!done) explore(configuration, slot, tried, reached);
  }
  open_[slot] = nullptr;
  --under_way_;
  now_.clear();
  for (Configuration& configuration : reached) {
    configuration.done &= ~bit;
    add(now_, std::move(configuration));
  }
  return !now_.empty();
}

std::optional<std::size_t> NameChecker::find() {
  struct Event {
    Tick at;
    std::size_t step;
    bool answer;
  };
  std::vector<Event> events;
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    events.push_back({steps_[step].call, step, false});
    events.push_back({steps_[step].answer, step, true});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
  for (const Event& event : events) {
    if (!event.answer) {
      called(event.step);
    } else if (!answered(event.step)) {
      return event.step;
    }
  }
  return std::nullopt;
}

}  // namespace tombolo::testing::linearize
