#include "server/audit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "async/run.h"
#include "async/scope.h"
#include "testing/test_folder.h"

namespace tombolo::server {
namespace {

namespace fs = std::filesystem;

class AuditTest : public testing::Test {
 protected:
  std::vector<nlohmann::json> records() const {
    std::ifstream file(path_);
    std::vector<nlohmann::json> all;
    for (std::string line; std::getline(file, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }
  static admin::AuditRecord named(std::string target) {
    admin::AuditRecord record;
    record.action = "CreateContainer";
    record.target = std::move(target);
    return record;
  }
  double failures() { return static_cast<double>(metrics_.counter(observe::Metric::kAuditFailures, {}).value()); }

  const TestFolder temporary_;
  const fs::path folder_ = temporary_.path();
  const fs::path path_ = folder_ / "audit.log";
  ManualClock clock_;
  observe::Metrics metrics_;
  AuditFile file_{path_};
};

Task<void> record_one(Audit& audit, admin::AuditRecord record, std::size_t& written) {
  CO_TRY(audit.record(std::move(record)));
  ++written;
  co_return Result<void>{};
}

TEST_F(AuditTest, EachRecordThatIsWaitedForIsInTheFileWhole) {
  constexpr std::size_t kCount = 300;
  Audit audit(file_, clock_, metrics_);
  std::size_t written = 0;
  boost::asio::io_context loop(1);
  Scope scope("records");
  for (std::size_t i = 0; i < kCount; ++i) {
    scope.spawn(loop.get_executor(), record_one(audit, named(std::to_string(i)), written));
  }
  ASSERT_TRUE(run_to_end(loop, scope.join()).ok());
  EXPECT_EQ(written, kCount);
  std::set<std::string> targets;
  for (const auto& record : records()) targets.insert(record["target"]);
  EXPECT_EQ(targets.size(), kCount);
}

TEST_F(AuditTest, OfVeryManyRefusalsTheNumberIsTold) {
  {
    Audit audit(file_, clock_, metrics_);
    for (int i = 0; i < 1'000; ++i) audit.refused("flood", named("x"));
    audit.refused("other", named("y"));
  }
  const auto all = records();
  ASSERT_EQ(all.size(), Refusals::kRecordedMax + 2u);
  EXPECT_EQ(all.back()["action"], "refused.left-out");
  EXPECT_EQ(all.back()["target"], "flood");
  EXPECT_EQ(all.back()["details"]["count"], std::to_string(1'000 - Refusals::kRecordedMax));
}

TEST_F(AuditTest, WhatFindsNoPlaceInTheQueueFailsAtOnceAndIsCounted) {
  Audit audit(file_, clock_, metrics_, {.waiting_max = 0});
  const auto recorded = run_to_end(audit.record(named("x")));
  ASSERT_FALSE(recorded.ok());
  EXPECT_EQ(recorded.error().code, Code::kBusy);
  audit.refused("account", named("y"));
  EXPECT_EQ(failures(), 2);
  EXPECT_TRUE(records().empty());
}

TEST(Refusals, ANewWindowRecordsAgain) {
  Refusals refusals;
  SteadyTime now{0};
  for (unsigned i = 0; i < Refusals::kRecordedMax; ++i) EXPECT_TRUE(refusals.admit("a", now));
  EXPECT_FALSE(refusals.admit("a", now));
  EXPECT_TRUE(refusals.admit("b", now));
  EXPECT_TRUE(refusals.take_left_out(now).empty());
  now = now + Refusals::kWindow;
  const auto left_out = refusals.take_left_out(now);
  ASSERT_EQ(left_out.size(), 1u);
  EXPECT_EQ(left_out[0].first, "a");
  EXPECT_EQ(left_out[0].second, 1u);
  EXPECT_TRUE(refusals.admit("a", now));
}

}  // namespace
}  // namespace tombolo::server
