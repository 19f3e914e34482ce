#include "testing/linearize/checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "testing/linearize/name_checker.h"

namespace tombolo::testing::linearize {

namespace {

/// Whose ETag is which, as far as anybody heard or saw it.
class EtagLedger {
 public:
  std::optional<Finding> note(const Sight& sight) {
    const auto [by_tag, new_tag] = etags_.emplace(sight.tag, sight.etag);
    const auto [by_etag, new_etag] = tags_.emplace(sight.etag, sight.tag);
    if (by_tag->second != sight.etag) {
      return Finding{fmt::format("what wrote tag {} has two ETags, {} and {}", sight.tag, by_tag->second.micros,
                                 sight.etag.micros)};
    }
    if (by_etag->second != sight.tag) {
      return Finding{fmt::format("the ETag {} was given twice, to what wrote tag {} and tag {}", sight.etag.micros,
                                 by_etag->second, sight.tag)};
    }
    return std::nullopt;
  }
  const Etags& etags() const { return etags_; }

 private:
  Etags etags_;
  std::map<Stamp, std::string> tags_;
};

std::string describe(const model::KeyState& state) {
  std::string out = "no object";
  if (state.object) {
    out = fmt::format("{} bytes, tag {}, ETag {}", state.object->bytes->size(),
                      state.object->metadata.empty() ? "" : state.object->metadata.front().second,
                      state.object->etag ? std::to_string(state.object->etag->micros) : "never seen");
  }
  for (const auto& [block, bytes] : state.staged) out += fmt::format(", staged {}: {} bytes", block, bytes->size());
  return out;
}

/// Takes away what is not needed to see that it is wrong: all before the last moment of rest, then reads and refusals
/// one by one. Changes stay, because what is left must be explained by them.
class Narrower {
 public:
  Narrower(Steps steps, const Etags& etags) : etags_(etags), steps_(std::move(steps)) {
    std::sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.call < b.call; });
    before_.emplace_back();
  }

  Finding run() {
    check(steps_, before_);
    for (bool less = true; less;) {
      less = cut();
      for (std::size_t step = steps_.size(); step-- > 0;) less = drop(step) || less;
    }
    Finding finding{fmt::format("nothing explains what client {} heard", steps_[at_].client), steps_, at_};
    for (const model::KeyState& state : before_) finding.before.push_back(describe(state));
    return finding;
  }

 private:
  bool check(const Steps& steps, const std::vector<model::KeyState>& before) {
    NameChecker checker(steps, etags_, before);
    const auto found = checker.find();
    if (!found) return false;
    at_ = *found;
    rest_ = checker.rest();
    at_rest_ = checker.at_rest();
    return true;
  }

  bool cut() {
    const Tick end = steps_[at_].answer;
    Steps rest;
    for (Step& step : steps_) {
      if (step.call >= rest_ && step.call < end) rest.push_back(std::move(step));
    }
    const bool less = rest.size() < steps_.size();
    steps_ = std::move(rest);
    before_ = std::move(at_rest_);
    check(steps_, before_);
    return less;
  }

  bool drop(std::size_t step) {
    if (step == at_ || (steps_[step].outcome != Outcome::kSaw && steps_[step].outcome != Outcome::kRefused))
      return false;
    Steps fewer = steps_;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(step));
    if (!check(fewer, before_)) return false;
    steps_ = std::move(fewer);
    return true;
  }

  const Etags& etags_;
  Steps steps_;
  std::size_t at_ = 0;
  std::vector<model::KeyState> before_;
  Tick rest_ = 0;
  std::vector<model::KeyState> at_rest_;
};

}  // namespace

std::string describe(const Finding& finding) {
  std::string out = finding.what + "\n";
  if (!finding.before.empty()) out += "  before:\n";
  for (const std::string& state : finding.before) out += "    " + state + "\n";
  for (std::size_t at = 0; at < finding.steps.size(); ++at) {
    out += fmt::format("  {} {}\n", at == finding.at ? '>' : ' ', describe(finding.steps[at]));
  }
  return out;
}

std::optional<Finding> check_history(const std::vector<Steps>& names) {
  EtagLedger ledger;
  for (const Steps& steps : names) {
    for (const Step& step : steps) {
      if (!step.sight) continue;
      if (auto finding = ledger.note(*step.sight)) return finding;
    }
  }
  for (const Steps& steps : names) {
    NameChecker checker(steps, ledger.etags(), {model::KeyState{}});
    if (checker.find()) return Narrower(steps, ledger.etags()).run();
  }
  return std::nullopt;
}

}  // namespace tombolo::testing::linearize
