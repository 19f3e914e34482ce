#include "remote/probe.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "remote/memory/memory_remote.h"

namespace tombolo::remote {
namespace {

/// A remote with a fault of its own, over a good one.
class Faulty final : public Remote {
 public:
  enum class Fault {
    kNone,
    kDown,
    kNoWrites,
    kNoDeletes,
    kIgnoresConditions,
    kOtherBytes,
    kLosesMetadata,
    kKeepsDeleted
  };

  Faulty(Fault fault, Clock& clock) : inner_("inner", clock), fault_(fault) {}
  const std::string& name() const override { return inner_.name(); }
  Capabilities capabilities() const override { return {}; }
  Task<RemoteObject> put(PutRequest request, BodyFactory body, CallSite site) override {
    EXPECT_TRUE(request.headers.content_md5) << "offload sends one, and a remote may refuse it";
    if (fault_ == Fault::kNoWrites) return failed<RemoteObject>(Code::kPermissionDenied);
    if (fault_ == Fault::kIgnoresConditions) request.condition = {};
    if (fault_ == Fault::kLosesMetadata) request.headers.metadata.clear();
    return inner_.put(std::move(request), std::move(body), site);
  }
  Task<std::unique_ptr<ByteSource>> get(GetRequest request, CallSite site) override {
    if (fault_ == Fault::kOtherBytes) ++request.offset;
    return inner_.get(std::move(request), site);
  }
  Task<HeadResult> head(std::string key, CallSite site) override {
    return fault_ == Fault::kDown ? failed<HeadResult>(Code::kUnavailable) : inner_.head(std::move(key), site);
  }
  Task<ListPage> list(ListRequest request, CallSite site) override {
    return fault_ == Fault::kDown ? failed<ListPage>(Code::kUnavailable) : inner_.list(std::move(request), site);
  }
  Task<void> remove(std::string key, Condition condition, CallSite site) override {
    if (fault_ == Fault::kNoDeletes) return failed<void>(Code::kPermissionDenied);
    if (fault_ == Fault::kKeepsDeleted) return nothing();
    return inner_.remove(std::move(key), std::move(condition), site);
  }

  MemoryRemote inner_;

 private:
  template <class T>
  static Task<T> failed(Code code) {
    co_return Error{code, "no"};
  }
  static Task<void> nothing() { co_return Result<void>{}; }

  const Fault fault_;
};

struct Told {
  std::vector<std::string> failed;
  std::size_t steps = 0;
  std::size_t left_behind = 0;
};

bool found(const Told& told, std::string_view what) {
  return std::find(told.failed.begin(), told.failed.end(), what) != told.failed.end();
}

Told run(Faulty::Fault fault) {
  ManualClock clock;
  SeededRandom random(3);
  Faulty remote(fault, clock);
  const auto steps = run_to_end(probe(remote, {.prefix = "cold/"}, clock, random));
  Told told;
  for (const ProbeStep& step : *steps) {
    EXPECT_EQ(step.ok, step.problem.empty()) << step.what;
    if (!step.ok) told.failed.push_back(step.what);
  }
  told.steps = steps->size();
  told.left_behind = remote.inner_.count();
  return told;
}

TEST(Probe, AGoodRemotePassesAndNothingIsLeftBehind) {
  const Told told = run(Faulty::Fault::kNone);
  EXPECT_EQ(told.failed, std::vector<std::string>{});
  EXPECT_EQ(told.steps, 14u);
  EXPECT_EQ(told.left_behind, 0u);
}

TEST(Probe, WithoutWritesTheRightsThatNeedNoObjectAreToldAllTheSame) {
  const Told told = run(Faulty::Fault::kNoWrites);
  EXPECT_EQ(told.failed, std::vector<std::string>{"write an object that is not there"});
  EXPECT_EQ(told.steps, 4u);
}

TEST(Probe, WithoutTheRightToDeleteNothingIsWritten) {
  const Told told = run(Faulty::Fault::kNoDeletes);
  EXPECT_EQ(told.failed, std::vector<std::string>{"delete what is not there"});
  EXPECT_EQ(told.steps, 3u);
  EXPECT_EQ(told.left_behind, 0u);
}

TEST(Probe, ARemoteThatDoesNotAnswerEndsIt) {
  const Told told = run(Faulty::Fault::kDown);
  EXPECT_EQ(told.steps, 2u);
  EXPECT_EQ(told.failed.size(), 2u);
}

TEST(Probe, EachFaultIsFoundByItsStep) {
  EXPECT_EQ(run(Faulty::Fault::kOtherBytes).failed, std::vector<std::string>{"read a range of it"});
  EXPECT_EQ(run(Faulty::Fault::kLosesMetadata).failed, std::vector<std::string>{"describe it, with its metadata"});
  const Told conditions = run(Faulty::Fault::kIgnoresConditions);
  EXPECT_TRUE(found(conditions, "refuse to write it once more"));
  EXPECT_TRUE(found(conditions, "refuse to overwrite the version that was"));
  EXPECT_EQ(conditions.left_behind, 0u);
  const Told kept = run(Faulty::Fault::kKeepsDeleted);
  EXPECT_TRUE(found(kept, "find nothing where it was"));
}

}  // namespace
}  // namespace tombolo::remote
