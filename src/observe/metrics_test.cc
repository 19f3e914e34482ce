#include "observe/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tombolo::observe {
namespace {

using testing::HasSubstr;

TEST(Metrics, RendersWhatWasCounted) {
  Metrics metrics;
  metrics.count(Metric::kRequests, {"azure_blob", "PutBlob", "201"});
  metrics.count(Metric::kRequests, {"azure_blob", "PutBlob", "201"}, 2);
  metrics.set(Metric::kLogBytes, {}, 4096);
  metrics.observe_seconds(Metric::kRequestSeconds, {"azure_blob", "PutBlob"}, 0.003);
  const std::string text = metrics.text();
  EXPECT_THAT(text,
              HasSubstr(R"(tombolo_http_requests_total{dialect="azure_blob",operation="PutBlob",status="201"} 3)"));
  EXPECT_THAT(text, HasSubstr("tombolo_log_bytes 4096"));
  EXPECT_THAT(text, HasSubstr(R"(tombolo_http_request_seconds_count{dialect="azure_blob",operation="PutBlob"} 1)"));
}

TEST(MetricsDeathTest, RefusesAWrongNumberOfLabels) {
  Metrics metrics;
  EXPECT_DEATH(metrics.count(Metric::kRequests, {"azure_blob"}), "assertion failed");
}

}  // namespace
}  // namespace tombolo::observe
