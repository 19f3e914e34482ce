#include "testing/chaos_remote.h"

#include <algorithm>

#include "remote/contract_test.h"
#include "remote/memory/memory_remote.h"

namespace tombolo::testing {
namespace {

using namespace std::chrono_literals;
using remote::MemoryRemote;

struct ChaosFixture final : remote::RemoteFixture {
  remote::Remote& remote() override { return chaos; }
  boost::asio::io_context& loop() override { return io; }

  boost::asio::io_context io{1};
  SystemClock clock;
  std::shared_ptr<MemoryRemote> memory = std::make_shared<MemoryRemote>("far", clock);
  ChaosRemote chaos{memory};
};

}  // namespace
}  // namespace tombolo::testing

namespace tombolo::remote {
INSTANTIATE_TEST_SUITE_P(ChaosWithoutRules, RemoteContract, ::testing::Values([]() -> std::unique_ptr<RemoteFixture> {
                           return std::make_unique<tombolo::testing::ChaosFixture>();
                         }));
}  // namespace tombolo::remote

namespace tombolo::testing {
namespace {

class ChaosTest : public ::testing::Test {
 protected:
  template <class T>
  Result<T> run(Task<T> task) {
    return run_to_end(f_.io, std::move(task));
  }
  void add(RemoteFault fault, std::optional<RemoteOp> op = {}, int times = -1, double probability = 1) {
    ChaosRule rule;
    rule.fault = fault;
    rule.op = op;
    rule.times = times;
    rule.probability = probability;
    ASSERT_TRUE(run(f_.chaos.add(std::move(rule))).ok());
  }
  Result<remote::RemoteObject> put(std::string key = "k") {
    remote::PutRequest request;
    request.key = std::move(key);
    request.size = kText.size();
    request.crc64 = crc64(as_bytes(kText));
    return run(f_.chaos.put(std::move(request), remote::body_of(Block(to_bytes(kText)))));
  }
  static Task<Bytes> read(ChaosRemote& remote, std::string etag) {
    remote::GetRequest request;
    request.key = "k";
    request.if_etag = std::move(etag);
    request.length = kText.size();
    CO_TRY_ASSIGN(const auto source, remote.get(std::move(request)));
    co_return co_await read_all(*source, kText.size());
  }
  Result<Bytes> get(std::string etag) { return run(read(f_.chaos, std::move(etag))); }
  std::string stored(const std::string& key = "k") const { return std::string(as_text(f_.memory->contents(key))); }

  static constexpr std::string_view kText = "what was put";
  ChaosFixture f_;
};

TEST_F(ChaosTest, APutDoesWhatItsFaultSays) {
  const struct {
    RemoteFault fault;
    std::optional<Code> code;
    bool there;
  } cases[] = {
      {RemoteFault::kDown, Code::kUnknownOutcome, false},
      {RemoteFault::kRefused, Code::kUnavailable, false},
      {RemoteFault::kSlow, std::nullopt, true},
      {RemoteFault::kStalled, Code::kUnknownOutcome, true},
      {RemoteFault::kTruncating, Code::kUnknownOutcome, true},
      {RemoteFault::kWrongBytes, std::nullopt, true},
      {RemoteFault::kWrongEtag, std::nullopt, true},
      {RemoteFault::kDoneSaid500, Code::kUnknownOutcome, true},
      {RemoteFault::kClaimed, std::nullopt, false},
      {RemoteFault::kStaleList, std::nullopt, true},
      {RemoteFault::kChangedOutside, std::nullopt, true},
      {RemoteFault::kForbidden, Code::kPermissionDenied, false},
      {RemoteFault::kNotFound, Code::kUnavailable, false},
      {RemoteFault::kThrottled, Code::kUnavailable, false},
      {RemoteFault::kBusy, Code::kUnavailable, false},
  };
  static_assert(std::size(cases) == kRemoteFaults);
  for (const auto& each : cases) {
    SCOPED_TRACE(name_of(each.fault));
    const std::string key(name_of(each.fault));
    f_.chaos.heal();
    add(each.fault);
    const auto object = put(key);
    EXPECT_EQ(object.ok(), !each.code.has_value());
    if (each.code) {
      EXPECT_EQ(object.error().code, *each.code) << to_string(object.error());
    }
    f_.chaos.heal();
    const auto head = run(f_.chaos.head(key));
    EXPECT_EQ(head.ok(), each.there);
    if (!head.ok() || !object.ok()) continue;
    EXPECT_EQ(head->object.etag == object->etag, each.fault != RemoteFault::kWrongEtag);
    EXPECT_EQ(stored(key) == kText, each.fault != RemoteFault::kWrongBytes);
  }
}

TEST_F(ChaosTest, BodiesBreakHangAndLie) {
  const std::string etag = put()->etag;
  for (const RemoteFault fault : {RemoteFault::kTruncating, RemoteFault::kStalled}) {
    add(fault, RemoteOp::kGet, 1);
    EXPECT_EQ(get(etag).error().code, Code::kUnavailable);
    EXPECT_EQ(as_text(*get(etag)), kText) << "once only";
  }
  add(RemoteFault::kWrongBytes, RemoteOp::kGet, 1);
  EXPECT_NE(as_text(*get(etag)), kText);
  add(RemoteFault::kChangedOutside, RemoteOp::kGet, 1);
  EXPECT_EQ(get(etag).error().code, Code::kChangedOutside);
  EXPECT_EQ(stored(), "somebody else's bytes");
}

TEST_F(ChaosTest, AListingMayBeOld) {
  ASSERT_TRUE(put("a").ok());
  add(RemoteFault::kStaleList);
  ASSERT_TRUE(put("b").ok());
  remote::ListRequest request;
  EXPECT_EQ(run(f_.chaos.list(request))->objects.size(), 1u);
  f_.chaos.heal();
  EXPECT_EQ(run(f_.chaos.list(request))->objects.size(), 2u);
}

TEST_F(ChaosTest, TheSameSeedMakesTheSameFaults) {
  const auto story = [this](std::uint64_t seed) {
    ChaosOptions options;
    options.seed = seed;
    ChaosRemote chaos(f_.memory, options);
    ChaosRule rule;
    rule.fault = RemoteFault::kBusy;
    rule.probability = 0.3;
    EXPECT_TRUE(run(chaos.add(rule)).ok());
    std::string told;
    for (int n = 0; n < 200; ++n) told += run(chaos.head("none")).error().code == Code::kNotFound ? '.' : 'x';
    EXPECT_EQ(chaos.calls(RemoteOp::kHead), 200u);
    EXPECT_EQ(chaos.faults(RemoteFault::kBusy), static_cast<std::uint64_t>(std::count(told.begin(), told.end(), 'x')));
    return told;
  };
  EXPECT_EQ(story(1), story(1));
  EXPECT_NE(story(1), story(2));
  const auto faults = std::ranges::count(story(3), 'x');
  EXPECT_TRUE(faults > 30 && faults < 90) << faults;
}

TEST_F(ChaosTest, RulesMatchByOperationAndKeyAndRunOut) {
  ChaosRule rule;
  rule.fault = RemoteFault::kForbidden;
  rule.op = RemoteOp::kPut;
  rule.key_prefix = "in/";
  rule.times = 2;
  ASSERT_TRUE(run(f_.chaos.add(rule)).ok());
  EXPECT_TRUE(put("out/a").ok());
  EXPECT_FALSE(put("in/a").ok());
  EXPECT_FALSE(put("in/a").ok());
  EXPECT_TRUE(put("in/a").ok());
  EXPECT_TRUE(run(f_.chaos.head("in/a")).ok());
}

}  // namespace
}  // namespace tombolo::testing
