#include "admin/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tombolo::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

Call call(std::string method, std::vector<std::string> path, std::string body = {}) {
  Call made;
  made.method = std::move(method);
  made.path = std::move(path);
  made.body = std::move(body);
  return made;
}

TEST(Audit, KnowsWhatChangesAndWhatOnlyLooks) {
  EXPECT_EQ(audited_action(call("POST", {"accounts"})), "account.create");
  EXPECT_EQ(audited_action(call("DELETE", {"accounts", "a"})), "account.delete");
  EXPECT_EQ(audited_action(call("GET", {"accounts", "a", "keys"})), "account.keys.show");
  EXPECT_EQ(audited_action(call("POST", {"accounts", "a", "keys"})), "account.keys.regenerate");
  EXPECT_EQ(audited_action(call("POST", {"accounts", "a", "sas"})), "sas.issue");
  EXPECT_EQ(audited_action(call("POST", {"accounts", "a", "containers"})), "container.create");
  EXPECT_EQ(audited_action(call("DELETE", {"accounts", "a", "containers", "c"})), "container.delete");
  EXPECT_EQ(audited_action(call("POST", {"remotes"})), "remote.add");
  EXPECT_EQ(audited_action(call("DELETE", {"remotes", "r"})), "remote.remove");
  EXPECT_EQ(audited_action(call("POST", {"jobs"})), "job.start");
  EXPECT_EQ(audited_action(call("DELETE", {"jobs", "1"})), "job.cancel");
  EXPECT_EQ(audited_action(call("PUT", {"quotas", "x"})), "quotas.change");
  for (const auto& path : std::vector<std::vector<std::string>>{{"accounts"}, {"remotes"}, {"jobs"}, {"status"}}) {
    EXPECT_FALSE(audited_action(call("GET", path)));
  }
  EXPECT_FALSE(audited_action(call("POST", {"fsck"})));
  EXPECT_EQ(audited_action({.method = "POST", .path = {"fsck"}, .query = {}, .body = R"({"repair": true})"}),
            "fsck.repair");
  EXPECT_FALSE(audited_action({.method = "POST", .path = {"fsck"}, .query = {}, .body = R"({"repair": false})"}));
  EXPECT_FALSE(audited_action(call("POST", {"remotes", "r", "test"})));
}

TEST(Audit, TellsNoSecret) {
  const Call add =
      call("POST", {"remotes"},
           R"({"name":"archive","kind":"azure","bucket":"b","account":"acc","key":"S3CRET","sas":"sig=S3CRET",
                            "endpoint":"https://user:S3CRET@host/acc?sig=S3CRET","unknown":"S3CRET"})");
  const std::string line = audit_line(describe(add, "remote.add"), {0});
  EXPECT_THAT(line, Not(HasSubstr("S3CRET")));
  EXPECT_THAT(line, HasSubstr(R"("endpoint":"https://host/acc")"));
  EXPECT_THAT(line, HasSubstr(R"("name":"archive")"));
}

TEST(Audit, SaysWhenTheCredentialOfARemoteIsReplaced) {
  const auto told = [](std::string body) {
    return audit_line(describe(call("PATCH", {"remotes", "archive"}, std::move(body)), "remote.change"), {0});
  };
  for (const char* body : {R"({"key":"S3CRET"})", R"({"sas":"S3CRET","bucket":"b"})"}) {
    EXPECT_THAT(told(body), HasSubstr(R"("credential":"replaced")"));
    EXPECT_THAT(told(body), Not(HasSubstr("S3CRET")));
  }
  EXPECT_THAT(told(R"({"bucket":"b","key":""})"), Not(HasSubstr("credential")));
}

TEST(Audit, SurvivesABodyAsDeepAsItIsLong) {
  constexpr std::size_t kDepth = 500'000;  // of the MiB that a body may have
  const std::string deep = std::string(kDepth, '[') + std::string(kDepth, ']');
  const AuditRecord record = describe(call("POST", {"accounts"}, R"({"name":)" + deep + "}"), "account.create");
  EXPECT_THAT(audit_line(record, {0}), HasSubstr(R"("name":"…")"));
  EXPECT_FALSE(audited_action(call("POST", {"fsck"}, deep)));
  EXPECT_EQ(audited_action(call("POST", {"fsck"}, R"({"repair":)" + deep + "}")), "fsck.repair");
}

TEST(Audit, ARecordIsOneLineWhateverNamesHold) {
  AuditRecord record;
  record.action = "container.create";
  record.target = "a\nb\"c\xff";
  record.result = "ok";
  const std::string line = audit_line(record, {1'700'000'000'000'000});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["time"], "2023-11-14T22:13:20.0000000Z");
  EXPECT_EQ(parsed["action"], "container.create");
}

}  // namespace
}  // namespace tombolo::admin
