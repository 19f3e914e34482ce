// The contract suite of kv::Engine: contract_test.cc runs over every harness that a test file instantiates it with.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "async/run.h"
#include "base/clock.h"
#include "base/random.h"
#include "kv/kv.h"

namespace tombolo::kv {

/// Owns one engine and what it runs on.
class Harness {
 public:
  virtual ~Harness() = default;
  virtual Engine& engine() = 0;
  /// Closes the engine cleanly and opens it again on what it left. False where an engine keeps nothing: then it stays
  /// as it is.
  virtual bool reopen() = 0;

  boost::asio::io_context loop{1};
  ManualClock clock;
  SeededRandom random{20261121};
};

struct HarnessKind {
  std::string name;
  std::function<std::unique_ptr<Harness>()> make;
};
inline void PrintTo(const HarnessKind& kind, std::ostream* out) {
  *out << kind.name;
}

class EngineContract : public testing::TestWithParam<HarnessKind> {
 protected:
  using Value = std::optional<std::string>;

  template <class T>
  Result<T> wait(Task<T> task) {
    return run_to_end(harness_->loop, std::move(task));
  }
  Engine& engine() { return harness_->engine(); }
  Value get(Snapshot& rows, std::string key) {
    auto found = wait(rows.get(std::move(key)));
    EXPECT_TRUE(found.ok()) << to_string(found.error());
    return found.ok() ? *found : Value();
  }
  Value get(std::string key) { return get(*engine().snapshot(), std::move(key)); }
  Result<Sequence> commit(Transaction& transaction) { return wait(transaction.commit()); }
  Code commit_code(Transaction& transaction) {
    auto result = commit(transaction);
    EXPECT_FALSE(result.ok());
    return result.ok() ? Code::kInternal : result.error().code;
  }
  Sequence put(std::string key, std::string value) {
    auto transaction = engine().begin();
    transaction->put(std::move(key), std::move(value));
    auto sequence = commit(*transaction);
    EXPECT_TRUE(sequence.ok()) << to_string(sequence.error());
    return sequence.ok() ? *sequence : Sequence{};
  }
  std::vector<std::string> keys(Snapshot& rows, RangeQuery query) {
    auto page = wait(rows.range(std::move(query)));
    EXPECT_TRUE(page.ok());
    std::vector<std::string> out;
    if (page.ok()) {
      for (const auto& row : page->rows) out.push_back(row.key);
    }
    return out;
  }

  const std::unique_ptr<Harness> harness_ = GetParam().make();
};

inline std::string harness_name(const testing::TestParamInfo<HarnessKind>& at) {
  return at.param.name;
}

}  // namespace tombolo::kv
