// NameChecker: the search for one name. Included by the checker's own files only.
#pragma once

#include <map>

#include "testing/linearize/history.h"

namespace tombolo::testing::linearize {

/// Whose ETag is which, by the tag that its change wrote.
using Etags = std::map<std::string, Stamp>;

class NameChecker {
 public:
  /// `before`: what the name may be at first. Steps and ETags outlive it.
  NameChecker(const Steps& steps, const Etags& etags, const std::vector<model::KeyState>& before);

  /// The step whose answer nothing explains.
  std::optional<std::size_t> find();

  /// The last moment before that step's answer at which nothing was under way, and what the name could be then.
  Tick rest() const { return rest_; }
  const std::vector<model::KeyState>& at_rest() const { return at_rest_; }

 private:
  using State = model::KeyState;
  struct Configuration {
    State state;
    std::uint64_t done = 0;  // a bit a slot of open_
  };
  using Configurations = std::vector<Configuration>;

  static void add(Configurations& set, Configuration configuration);
  void called(std::size_t step);
  bool answered(std::size_t step);
  /// What only looks happens as soon as it fits: later it would do no more.
  void look(Configuration& configuration, std::size_t slot) const;
  std::optional<State> happen(const Step& step, const State& state) const;
  /// Every configuration in which the step of `slot` has happened, with whatever must have happened before it.
  void explore(const Configuration& from, std::size_t slot, Configurations& tried, Configurations& out) const;

  const Steps& steps_;
  const Etags& etags_;
  std::vector<const Step*> open_;  // nullptr: a free slot
  std::size_t under_way_ = 0;
  Configurations now_;
  Tick rest_ = 0;
  std::vector<State> at_rest_;
};

}  // namespace tombolo::testing::linearize
