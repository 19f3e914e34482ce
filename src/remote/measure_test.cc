#include "remote/measure.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "remote/memory/memory_remote.h"
#include "remote/prices.h"

namespace tombolo::remote {
namespace {

/// A remote whose operations take time on the clock: a fixed one to the first byte, and by bytes.
class Timed final : public Remote {
 public:
  Timed(ManualClock& clock, Duration first, Duration per_mib)
      : inner_("timed", clock), clock_(clock), first_(first), per_mib_(per_mib) {}
  const std::string& name() const override { return inner_.name(); }
  Capabilities capabilities() const override { return {}; }
  Task<RemoteObject> put(PutRequest request, BodyFactory body, CallSite site) override {
    clock_.advance(first_ + cost(request.size));
    sent_ += request.size;
    return inner_.put(std::move(request), std::move(body), site);
  }
  Task<std::unique_ptr<ByteSource>> get(GetRequest request, CallSite site) override {
    clock_.advance(first_);
    ++gets_;
    if (gets_ == fails_at_) return failed();
    return inner_.get(std::move(request), site);
  }
  Task<HeadResult> head(std::string key, CallSite site) override { return inner_.head(std::move(key), site); }
  Task<ListPage> list(ListRequest request, CallSite site) override { return inner_.list(std::move(request), site); }
  Task<void> remove(std::string key, Condition condition, CallSite site) override {
    return inner_.remove(std::move(key), std::move(condition), site);
  }

  MemoryRemote inner_;
  std::uint64_t sent_ = 0;
  int gets_ = 0, fails_at_ = -1;

 private:
  static Task<std::unique_ptr<ByteSource>> failed() { co_return Error{Code::kUnavailable, "down"}; }
  Duration cost(std::uint64_t bytes) const {
    return Duration(per_mib_.count() * static_cast<std::int64_t>(bytes) / static_cast<std::int64_t>(kMiB));
  }

  ManualClock& clock_;
  const Duration first_, per_mib_;
};

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Measure, TellsWhatTheRemoteTakes) {
  ManualClock clock;
  SeededRandom random(5);
  Timed remote(clock, milliseconds(10), milliseconds(100));
  const auto measured = run_to_end(measure(remote, {.prefix = "cold/", .bytes = 4 * kMiB}, clock, random));
  ASSERT_TRUE(measured.ok()) << measured.error().message;
  EXPECT_EQ(measured->first_byte.samples, 200u);
  EXPECT_EQ(measured->first_byte.p50, milliseconds(10));
  EXPECT_EQ(measured->range.p99, milliseconds(10));
  EXPECT_NEAR(measured->put_bytes_per_second, 4.0 * kMiB / 0.41, 1000);
  EXPECT_EQ(measured->object_bytes, 4 * kMiB);
  EXPECT_EQ(measured->bytes_sent, 4 * kMiB + 256 * kKiB);
  EXPECT_EQ(remote.inner_.count(), 0u);
}

TEST(Measure, ASlowRemoteGetsASmallerObjectAndFewerReads) {
  ManualClock clock;
  SeededRandom random(5);
  Timed remote(clock, milliseconds(500), seconds(10));
  const auto measured = run_to_end(measure(remote, {.bytes = 64 * kMiB, .time_max = seconds(20)}, clock, random));
  ASSERT_TRUE(measured.ok()) << measured.error().message;
  EXPECT_LT(measured->object_bytes, kMiB);
  EXPECT_LT(measured->first_byte.samples, 40u);
  EXPECT_LT(measured->took, seconds(21));
  EXPECT_EQ(remote.inner_.count(), 0u);
}

TEST(Measure, NothingIsLeftBehindByAFailure) {
  ManualClock clock;
  SeededRandom random(5);
  Timed remote(clock, milliseconds(1), milliseconds(1));
  remote.fails_at_ = 7;
  const auto measured = run_to_end(measure(remote, {}, clock, random));
  ASSERT_FALSE(measured.ok());
  EXPECT_EQ(measured.error().message, "down");
  EXPECT_EQ(remote.inner_.count(), 0u);
}

TEST(Percentiles, AreByNearestRank) {
  std::vector<Duration> samples;
  for (int i = 100; i >= 1; --i) samples.emplace_back(i);
  const Percentiles told = percentiles_of(samples);
  EXPECT_EQ(told.p50, Duration(50));
  EXPECT_EQ(told.p95, Duration(95));
  EXPECT_EQ(told.p99, Duration(99));
  EXPECT_EQ(percentiles_of({Duration(7)}).p99, Duration(7));
  EXPECT_EQ(percentiles_of({}).samples, 0u);
}

TEST(Prices, AMillionReadsOf64KiB) {
  const auto prices = prices_of("azure");
  ASSERT_EQ(prices.size(), 3u);
  EXPECT_NEAR(cost_of_reads(prices[0], 1'000'000, 64 * kKiB), 0.40, 0.005);
  EXPECT_NEAR(cost_of_reads(prices[1], 1'000'000, 64 * kKiB), 1.66, 0.005);
  EXPECT_NEAR(cost_of_reads(prices[2], 1'000'000, 64 * kKiB), 11.97, 0.005);
  EXPECT_TRUE(prices_of("file").empty());
}

}  // namespace
}  // namespace tombolo::remote
