#include "server/audit.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "async/run.h"
#include "async/scope.h"
#include "server/refusals.h"
#include "server/rights_audit.h"
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
  const std::shared_ptr<AuditFile> file_ = std::make_shared<AuditFile>(path_);
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

// A file whose writes hang, as on a mount whose server is gone, until it goes away: a pipe that is full.
class HangingFile {
 public:
  explicit HangingFile(const fs::path& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    pipe_ = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    while (::write(pipe_, "x", 1) == 1) {
    }
  }
  void come_back() {
    char taken[4096];
    while (::read(pipe_, taken, sizeof taken) > 0) {
    }
  }
  ~HangingFile() {
    come_back();
    ::close(pipe_);
  }

 private:
  int pipe_ = -1;
};

TEST_F(AuditTest, WhereTheFileHangsNobodyWaitsLong) {
  HangingFile hanging(path_);
  {
    Audit audit(file_, clock_, metrics_, {.wait_max = std::chrono::milliseconds(50)});
    const auto recorded = run_to_end(audit.record(named("x")));
    ASSERT_FALSE(recorded.ok());
    EXPECT_EQ(recorded.error().code, Code::kDeadline);
    EXPECT_EQ(failures(), 1);
    EXPECT_EQ(audit.record_now(named("y")).error().code, Code::kDeadline);
    EXPECT_EQ(failures(), 2);
    audit.reopen();
    audit.note(named("z"));
  }
  EXPECT_EQ(failures(), 3) << "each is told once";
  hanging.come_back();  // the thread that was left behind ends, and touches nothing that is gone
}

TEST_F(AuditTest, WhatWasGivenUpIsNotCountedTwice) {
  Audit audit(file_, clock_, metrics_, {.wait_max = std::chrono::seconds(2)});  // enough for a busy disk
  {
    HangingFile hanging(path_);
    EXPECT_EQ(audit.record_now(named("x")).error().code, Code::kDeadline);
    fs::remove(path_);
  }  // a pipe cannot be synced: the write fails in the end
  EXPECT_TRUE(audit.record_now(named("y")).ok());
  EXPECT_EQ(failures(), 1);
  ASSERT_EQ(records().size(), 1u);
  EXPECT_EQ(records()[0]["target"], "y");
}

class RightsAuditTest : public AuditTest {
 protected:
  static azure_blob::Observation failed(int status, std::string_view code) {
    azure_blob::Observation seen;
    seen.operation = "CreateContainer";
    seen.path = "/mystore/box";
    seen.account = "mystore";
    seen.proof = "shared-key";
    seen.status = status;
    seen.error_code = code;
    return seen;
  }
  std::size_t with_result(std::string_view result) const {
    std::size_t count = 0;
    for (const auto& record : records()) count += record["result"] == result ? 1 : 0;
    return count;
  }
};

TEST_F(RightsAuditTest, WhatMayHaveBeenDoneIsRecordedHoweverMuchWasRefused) {
  {
    Audit audit(file_, clock_, metrics_);
    azure_blob::Observation throttled = failed(503, "ServerBusy");
    throttled.throttled = "account_rate";
    for (int i = 0; i < 100; ++i) {
      record_failure(audit, failed(409, "ContainerAlreadyExists"));
      record_failure(audit, throttled);
      record_failure(audit, failed(500, "InternalError"));
    }
    azure_blob::Observation stranger = failed(500, "InternalError");
    stranger.proof = "";
    record_failure(audit, stranger);
    azure_blob::Observation other = failed(500, "InternalError");
    other.operation = "PutBlob";
    record_failure(audit, other);
  }
  EXPECT_EQ(with_result("InternalError"), 100u);
  EXPECT_EQ(with_result("ContainerAlreadyExists") + with_result("ServerBusy"), Refusals::kRecordedMax);
}

TEST_F(RightsAuditTest, NoClientMakesALongRecord) {
  azure_blob::Observation seen = failed(409, "ContainerAlreadyExists");
  const std::string path = "/mystore/" + std::string(8'000, 'x'), id(1'024, 'y');
  seen.path = path;
  seen.client_request_id = id;
  EXPECT_LT(admin::audit_line(*rights_record(seen), {}).size(), 1'024u);
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
  EXPECT_EQ(left_out[0].account, "a");
  EXPECT_EQ(left_out[0].count, 1u);
  EXPECT_EQ(left_out[0].within, Refusals::kWindow);
  EXPECT_TRUE(refusals.admit("a", now));
}

TEST(Refusals, AnHourHasFewRecordsAndTellsTheRestInOne) {
  Refusals refusals;
  SteadyTime now{0};
  std::uint64_t recorded = 0, told = 0, lines = 0;
  for (int second = 0; second < 24 * 3'600; ++second) {
    for (int i = 0; i < 3; ++i) recorded += refusals.admit("flood", now) ? 1 : 0;
    for (const auto& left_out : refusals.take_left_out(now)) {
      told += left_out.count;
      ++lines;
    }
    now = now + std::chrono::seconds(1);
  }
  EXPECT_LE(recorded + lines, 25u * (Refusals::kHourlyMax + 1));
  EXPECT_GE(recorded, 24u * Refusals::kRecordedMax);
  for (const auto& left_out : refusals.take_all(now)) told += left_out.count;
  EXPECT_EQ(recorded + told, 3u * 24 * 3'600);
  EXPECT_TRUE(refusals.take_all(now).empty());
}

}  // namespace
}  // namespace tombolo::server
