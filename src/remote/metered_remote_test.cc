#include "remote/metered_remote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "remote/contract_test.h"
#include "remote/memory/memory_remote.h"

namespace tombolo::remote {
namespace {

using testing::HasSubstr;

struct MeteredFixture final : RemoteFixture {
  Remote& remote() override { return remote_; }
  boost::asio::io_context& loop() override { return loop_; }
  boost::asio::io_context loop_{1};
  ManualClock clock_;
  observe::Metrics metrics_;
  MeteredRemote remote_{std::make_shared<MemoryRemote>("memory", clock_), metrics_, clock_};
};

INSTANTIATE_TEST_SUITE_P(Metered, RemoteContract, testing::Values([]() -> std::unique_ptr<RemoteFixture> {
                           return std::make_unique<MeteredFixture>();
                         }));

TEST(MeteredRemote, CountsOperationsOutcomesAndBytes) {
  ManualClock clock;
  observe::Metrics metrics;
  MeteredRemote remote(std::make_shared<MemoryRemote>("archive", clock), metrics, clock);
  PutRequest put;
  put.key = "k";
  put.size = 5;
  put.crc64 = crc64(to_bytes("hello"));
  const auto made = run_to_end(remote.put(std::move(put), body_of(Block(to_bytes("hello")))));
  ASSERT_TRUE(made.ok());
  GetRequest get;
  get.key = "k";
  get.if_etag = made->etag;
  get.length = 4;
  auto source = run_to_end(remote.get(std::move(get)));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(as_text(*run_to_end(read_all(**source, 100))), "hell");
  EXPECT_FALSE(run_to_end(remote.head("absent")).ok());
  EXPECT_TRUE(run_to_end(remote.list({})).ok());
  EXPECT_TRUE(run_to_end(remote.remove("k", {})).ok());

  const std::string text = metrics.text();
  const std::string requests = R"(tombolo_remote_requests_total{remote="archive",operation=)";
  EXPECT_THAT(text, HasSubstr(requests + R"("put",outcome="ok"} 1)"));
  EXPECT_THAT(text, HasSubstr(requests + R"("get",outcome="ok"} 1)"));
  EXPECT_THAT(text, HasSubstr(requests + R"("head",outcome="not_found"} 1)"));
  EXPECT_THAT(text, HasSubstr(requests + R"("list",outcome="ok"} 1)"));
  EXPECT_THAT(text, HasSubstr(requests + R"("delete",outcome="ok"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(tombolo_remote_sent_bytes_total{remote="archive"} 5)"));
  EXPECT_THAT(text, HasSubstr(R"(tombolo_remote_received_bytes_total{remote="archive"} 4)"));
  EXPECT_THAT(text, HasSubstr(R"(tombolo_remote_request_duration_seconds_count{remote="archive",operation="put"} 1)"));
}

/// Whose gets begin well, and then find the object changed.
class Broken final : public Remote {
 public:
  const std::string& name() const override { return name_; }
  Capabilities capabilities() const override { return {}; }
  Task<RemoteObject> put(PutRequest, BodyFactory, CallSite) override { co_return none(); }
  Task<std::unique_ptr<ByteSource>> get(GetRequest, CallSite) override { co_return std::make_unique<Source>(); }
  Task<HeadResult> head(std::string, CallSite) override { co_return none(); }
  Task<ListPage> list(ListRequest, CallSite) override { co_return none(); }
  Task<void> remove(std::string, Condition, CallSite) override { co_return none(); }

 private:
  class Source final : public ByteSource {
    Task<Block> next() override { co_return Error{Code::kChangedOutside, "changed"}; }
  };
  static Error none() { return {Code::kNotFound, "none"}; }
  const std::string name_ = "archive";
};

TEST(MeteredRemote, CountsWhatABodyEndsWith) {
  ManualClock clock;
  observe::Metrics metrics;
  MeteredRemote remote(std::make_shared<Broken>(), metrics, clock);
  const auto source = run_to_end(remote.get({}));
  ASSERT_TRUE(source.ok());
  EXPECT_FALSE(run_to_end((*source)->next()).ok());
  EXPECT_THAT(metrics.text(), HasSubstr(R"(operation="get",outcome="changed_outside"} 1)"));
}

}  // namespace
}  // namespace tombolo::remote
