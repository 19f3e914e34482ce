#include "server/gauges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/virtual_time.h"

namespace tombolo::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// The first count fails, the second finds 7 objects, the third is cancelled.
Task<tiering::Census> count(int& counts) {
  if (++counts == 1) co_return Error{Code::kUnavailable, "an account's row could not be read"};
  if (counts == 3) co_return Error{Code::kCancelled, "it is over"};
  tiering::Census census;
  census.local.objects = 7;
  co_return census;
}

TEST(Gauges, ACensusThatFailsIsTakenAgain) {
  boost::asio::io_context loop(1);
  ManualClock clock;
  VirtualTime time(loop, clock);
  observe::Metrics metrics;
  int counts = 0;
  TakeCensus take = [&counts] { return count(counts); };
  const auto ended = time.run(take_censuses(std::move(take), metrics, clock, 60s), 1h);
  EXPECT_EQ(ended.error().code, Code::kCancelled);
  EXPECT_EQ(counts, 3);
  EXPECT_THAT(metrics.text(), HasSubstr("tombolo_place_objects{place=\"local\"} 7"));
}

}  // namespace
}  // namespace tombolo::server
