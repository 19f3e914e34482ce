// The one table of metrics, and how they are counted.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace tombolo::observe {

// X(identifier, kind, name, help, label names…). A new metric is one line.
// clang-format off
#define TOMBOLO_METRICS(X)                                                                                             \
  X(kRequests, counter, "tombolo_http_requests_total", "Requests by dialect, operation and status.", "dialect", "operation", "status") \
  X(kRequestSeconds, histogram, "tombolo_http_request_seconds", "Time from head parsed to answer sent.", "dialect", "operation") \
  X(kBytesReceived, counter, "tombolo_http_received_bytes_total", "Body bytes received from clients.", "dialect")      \
  X(kBytesSent, counter, "tombolo_http_sent_bytes_total", "Body bytes sent to clients.", "dialect")                    \
  X(kConnections, gauge, "tombolo_http_connections", "Open client connections.", "listener")                           \
  X(kLogSyncs, gauge, "tombolo_log_syncs", "Syncs of the commit log since start.", )                                   \
  X(kLogBytes, gauge, "tombolo_log_bytes", "Bytes of commit log on disk.", )                                           \
  X(kCommitted, gauge, "tombolo_committed_sequence", "Last committed transaction.", )                                  \
  X(kLocalLiveBytes, gauge, "tombolo_local_live_bytes", "Bytes of live runs on local flash.", )                        \
  X(kLocalFileBytes, gauge, "tombolo_local_file_bytes", "Bytes of segment files on local flash.", )                    \
  X(kCacheBytes, gauge, "tombolo_cache_bytes", "Bytes in the block cache.", )                                          \
  X(kCacheHits, gauge, "tombolo_cache_hits", "Granules served from the block cache since start.", )                    \
  X(kCacheMisses, gauge, "tombolo_cache_misses", "Granules not found in the block cache since start.", )               \
  X(kRemoteRequests, counter, "tombolo_remote_requests_total", "Requests to remotes by operation and outcome.", "remote", "operation", "outcome") \
  X(kRemoteRetries, counter, "tombolo_remote_retries_total", "Tries after the first.", "remote")                       \
  X(kRemoteBytes, counter, "tombolo_remote_bytes_total", "Body bytes moved.", "remote", "direction")                   \
  X(kJobsRunning, gauge, "tombolo_jobs_running", "Jobs running now.", )
// clang-format on

enum class Metric {
#define X(id, ...) id,
  TOMBOLO_METRICS(X)
#undef X
};

/// Thread-safe. Label values come in the order of the table; their number is asserted.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;

  void count(Metric counter, std::initializer_list<std::string_view> labels, double by = 1);
  void set(Metric gauge, std::initializer_list<std::string_view> labels, double value);
  void observe_seconds(Metric histogram, std::initializer_list<std::string_view> labels, double seconds);
  /// Prometheus text format, version 0.0.4.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tombolo::observe
