#include "testing/model/shrink.h"

#include <algorithm>

namespace tombolo::testing::model {

namespace {

/// A complaint without what differs from run to run.
std::string gist(const Violation& violation) {
  std::string out;
  for (const char c : violation.what.substr(0, violation.what.find(';'))) {
    if (c < '0' || c > '9') out += c;
  }
  return out.substr(0, 60);
}

class Shrinker {
 public:
  Shrinker(const SequenceOptions& options, std::vector<Operation> operations, int runs_max)
      : options_(options), best_(std::move(operations)), runs_left_(runs_max) {
    options_.narrate = false;
    const auto first = run_sequence(options_, best_).violation;
    if (first) gist_ = gist(*first);
  }

  std::vector<Operation> run() {
    for (bool smaller = true; smaller && runs_left_ > 0;) {
      const std::vector<Operation> before = best_;
      cut();
      simplify();
      smaller = best_ != before;
    }
    return best_;
  }

 private:
  bool fails(std::vector<Operation> candidate) {
    if (candidate == best_ || runs_left_-- <= 0) return false;
    const auto violation = run_sequence(options_, candidate).violation;
    if (!violation || gist(*violation) != gist_) return false;
    best_ = std::move(candidate);
    return true;
  }

  void cut() {
    for (std::size_t piece = std::max<std::size_t>(best_.size() / 2, 1); piece > 0; piece /= 2) {
      // From the end: what comes after the failure goes first.
      for (std::size_t end = best_.size(); end > 0;) {
        end = std::min(end, best_.size());
        const std::size_t begin = end > piece ? end - piece : 0;
        std::vector<Operation> candidate = best_;
        candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(begin),
                        candidate.begin() + static_cast<std::ptrdiff_t>(end));
        fails(std::move(candidate));
        end = begin;
      }
    }
  }

  template <class Edit>
  void try_edit(std::size_t at, Edit edit) {
    std::vector<Operation> candidate = best_;
    edit(candidate[at]);
    fails(std::move(candidate));
  }

  void simplify() {
    for (std::size_t at = 0; at < best_.size(); ++at) {
      try_edit(at, [](Operation& it) { it.nested.clear(); });
      try_edit(at, [](Operation& it) {
        if (!it.nested.empty()) it.nested.pop_back();
      });
      try_edit(at, [](Operation& it) { it.condition = Precondition::kNone; });
      try_edit(at, [](Operation& it) { it.key = 0; });
      for (const std::uint64_t size : {0, 1, 5'000}) {
        try_edit(at, [size](Operation& it) { it.size = std::min(it.size, size); });
      }
      try_edit(at, [](Operation& it) { it.number = std::min<std::uint64_t>(it.number, 1); });
      if (best_[at].kind == Kind::kCrash || best_[at].kind == Kind::kCrashAt) {
        for (const char* death : {"lost", "kept", "kill"}) {
          try_edit(at, [death](Operation& it) {
            const bool after = it.text.ends_with(":after");
            it.text = std::string(death) + (after ? ":after" : "");
          });
        }
      }
    }
  }

  SequenceOptions options_;
  std::vector<Operation> best_;
  std::string gist_;
  int runs_left_;
};

}  // namespace

std::vector<Operation> shrink(const SequenceOptions& options, std::vector<Operation> operations, int runs_max) {
  return Shrinker(options, std::move(operations), runs_max).run();
}

}  // namespace tombolo::testing::model
