// What a client is told that has reached a limit, and that nobody else is made to pay for it.
#include "protocol/azure_blob/rig_test.h"

namespace tombolo::azure_blob::testing {
namespace {

TEST(Throttling, AnswersServerBusyAndWhenToComeBack) {
  BlobRig rig({.account_requests_per_second = 3});
  ASSERT_EQ(rig.ask({"PUT", "/box/b", kBlock, "one"}).status, 201);
  ASSERT_EQ(rig.ask({"GET", "/box/b"}).status, 200);
  ASSERT_EQ(rig.ask({"GET", "/box/absent"}).status, 404);
  const Answered busy = rig.ask({"PUT", "/box/b", kBlock, "two"});
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.code(), "ServerBusy");
  EXPECT_EQ(busy.header("Retry-After"), "1");
  EXPECT_TRUE(busy.holds("<Code>ServerBusy</Code>")) << busy.body;
  EXPECT_EQ(rig.seen.back(), "PutBlob 503");
  EXPECT_EQ(rig.last_throttled, "account_rate");
  const Answered to_head = rig.ask({"HEAD", "/box/b"});
  EXPECT_EQ(to_head.status, 503);
  EXPECT_EQ(to_head.code(), "ServerBusy");
  EXPECT_EQ(to_head.body, "");
  rig.rig.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(rig.ask({"GET", "/box/b"}).body, "one");  // the second PUT left no trace
  EXPECT_EQ(rig.last_throttled, "");
}

TEST(Throttling, LeavesTheBodyUnread) {
  BlobRig rig({.account_requests_per_second = 1});
  ASSERT_EQ(rig.ask({"GET", "/box/b"}).status, 404);
  http::MemoryExchange exchange(BlobRig::head_of(rig.signed_with({"PUT", "/acc/box/b", kBlock, "two"}, rig.keys)),
                                "two");
  ASSERT_TRUE(rig.rig.run(rig.handler.handle(exchange)).ok());
  EXPECT_EQ(exchange.answer().head.status, 503);
  EXPECT_TRUE(exchange.abandoned());
  EXPECT_EQ(rig.last_received, 0u);
}

TEST(Throttling, CountsOnlyWhoIsAuthenticated) {
  BlobRig rig({.account_requests_per_second = 1});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(rig.send({"GET", "/box/b"}).status, 401);
    EXPECT_EQ(rig.send({"GET", "/box/b", {{"Authorization", "SharedKey acc:AAAA"}}}).status / 100, 4);
    EXPECT_EQ(rig.last_throttled, "");
  }
  EXPECT_EQ(rig.ask({"GET", "/box/b"}).status, 404);
  EXPECT_EQ(rig.ask({"GET", "/box/b"}).status, 503);
}

// A body that asks, while it is read, how the server answers others.
class AskingBody final : public ForwardingExchange {
 public:
  AskingBody(BlobRig& rig, http::RequestHead head)
      : ForwardingExchange(std::move(head), "two"), source_(rig, ForwardingExchange::body()) {
    seen.content_length = 3;
  }
  ByteSource& body() override { return source_; }

  struct Source final : public ByteSource {
    Source(BlobRig& asked, ByteSource& bytes) : rig(asked), inner(bytes) {}
    Task<Block> next() override {
      if (met.empty()) {
        http::MemoryExchange other(BlobRig::head_of(rig.signed_with({"GET", "/acc/box/b"}, rig.keys)));
        CO_TRY(rig.handler.handle(other));
        met = std::to_string(other.answer().head.status) + " " + rig.last_throttled;
        running = rig.gate.requests();
      }
      co_return co_await inner.next();
    }
    BlobRig& rig;
    ByteSource& inner;
    std::string met;
    std::uint64_t running = 0;
  };

  Source source_;
};

TEST(Throttling, HoldsItsPlaceUntilTheAnswerIsOut) {
  const std::vector<std::pair<admission::AdmissionOptions, std::string>> cases = {
      {{.account_requests_max = 1}, "503 account_requests"},
      {{.requests_max = 1}, "503 server_requests"},
      {{.account_requests_max = 2}, "404 "},
      {{.account_upload_bytes_max = 3}, "404 "},  // a read is no upload
  };
  for (const auto& [bounds, expected] : cases) {
    BlobRig rig(bounds);
    ASSERT_EQ(rig.ask({"PUT", "/box?restype=container"}).status / 100, 4);  // the rig has one
    AskingBody exchange(rig, BlobRig::head_of(rig.signed_with({"PUT", "/acc/box/b", kBlock, "two"}, rig.keys)));
    ASSERT_TRUE(rig.rig.run(rig.handler.handle(exchange)).ok());
    EXPECT_EQ(exchange.inner.answer().head.status, 201);
    EXPECT_EQ(exchange.source_.met, expected);
    EXPECT_EQ(exchange.source_.running, 1u);
    EXPECT_EQ(rig.gate.requests(), 0u);
  }
}

}  // namespace
}  // namespace tombolo::azure_blob::testing
