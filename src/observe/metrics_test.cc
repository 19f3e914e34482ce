#include "observe/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tombolo::observe {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, RendersWhatWasCounted) {
  Metrics metrics;
  Counter& puts = metrics.counter(Metric::kRequests, {"azure_blob", "PutBlob", "201"});
  puts.add();
  metrics.counter(Metric::kRequests, {"azure_blob", "PutBlob", "201"}).add(2);
  metrics.set(Metric::kLogBytes, {}, 4096);
  metrics.set(Metric::kLogSyncs, {}, 12'345'678);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("# TYPE tombolo_http_requests_total counter\n"
                              R"(tombolo_http_requests_total{dialect="azure_blob",operation="PutBlob",code="201"} 3)"));
  EXPECT_THAT(text, HasSubstr("# TYPE tombolo_log_bytes gauge\ntombolo_log_bytes 4096\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE tombolo_log_syncs_total counter\ntombolo_log_syncs_total 12345678\n"));
}

TEST(Metrics, HistogramsAreCumulativeAndInSeconds) {
  Metrics metrics;
  Histogram& times = metrics.histogram(Metric::kRemoteSeconds, {"archive", "put"});
  times.observe_micros(100);          // on the first bound: belongs to it
  times.observe_micros(101);          // just above
  times.observe_micros(300'000'000);  // longer than all bounds
  const std::string text = metrics.text();
  const std::string series = R"(tombolo_remote_request_duration_seconds_bucket{remote="archive",operation="put",le=)";
  EXPECT_THAT(text, HasSubstr(series + "\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(series + "\"0.0002\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(series + "\"52.4288\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(series + "\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr(R"(_sum{remote="archive",operation="put"} 300.000201)"));
  EXPECT_THAT(text, HasSubstr(R"(_count{remote="archive",operation="put"} 3)"));
}

TEST(Metrics, NamesThatWereNeverCountedAreAnnounced) {
  const std::string text = Metrics().text();
  EXPECT_THAT(text, HasSubstr("# HELP tombolo_remote_retries_total "));
  EXPECT_THAT(text, Not(HasSubstr("tombolo_remote_retries_total{")));
}

TEST(Metrics, LabelValuesAreEscaped) {
  Metrics metrics;
  metrics.set(Metric::kJobs, {"a\"b\\c\nd"}, 1);
  EXPECT_THAT(metrics.text(), HasSubstr(R"(tombolo_jobs{state="a\"b\\c\nd"} 1)"));
}

TEST(Metrics, ThreadsLoseNoCount) {
  Metrics metrics;
  Counter& counter = metrics.counter(Metric::kBytesSent, {"azure_blob"});
  constexpr int kThreads = 12, kEach = 20'000;
  std::vector<std::thread> threads;
  for (int n = 0; n < kThreads; ++n) {
    threads.emplace_back([&counter] {
      for (int i = 0; i < kEach; ++i) counter.add(3);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 3u * kThreads * kEach);
}

TEST(MetricsDeathTest, RefusesAWrongNumberOfLabels) {
  Metrics metrics;
  EXPECT_DEATH(metrics.counter(Metric::kRequests, {"azure_blob"}), "assertion failed");
}

}  // namespace
}  // namespace tombolo::observe
