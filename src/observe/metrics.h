// The one table of metrics, and where their series are.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "observe/instruments.h"

namespace tombolo::observe {

// X(identifier, kind, name, help, label names…). A new metric is one line; docs/operations.md says what to make of it.
// A `total` is a counter that somebody else keeps: it is set, not added to.
// clang-format off
#define TOMBOLO_METRICS(X)                                                                                             \
  X(kBuildInfo, gauge, "tombolo_build_info", "Always 1; the labels say what runs.", "version", "revision")             \
  X(kRequests, counter, "tombolo_http_requests_total", "Requests by dialect, operation and HTTP status code.", "dialect", "operation", "code") \
  X(kRequestSeconds, histogram, "tombolo_http_request_duration_seconds", "Time from head parsed to answer sent.", "dialect", "operation") \
  X(kBytesReceived, counter, "tombolo_http_received_bytes_total", "Body bytes received from clients.", "dialect")      \
  X(kBytesSent, counter, "tombolo_http_sent_bytes_total", "Body bytes sent to clients.", "dialect")                    \
  X(kConnections, gauge, "tombolo_http_connections", "Open client connections.", "listener")                           \
  X(kConnectionsLimit, gauge, "tombolo_http_connections_limit", "How many the listener takes: limits.connections_max, or 256 of the admin API.", "listener")                 \
  X(kConnectionsEvicted, total, "tombolo_http_connections_evicted_total", "Connections closed to make room for others: idle ones, and large heads over their limit.", "listener") \
  X(kConnectionsShed, total, "tombolo_http_connections_shed_total", "New connections refused because all were busy.", "listener") \
  X(kRequestsRunning, gauge, "tombolo_requests_running", "Admitted requests under way.", )                             \
  X(kRequestsLimit, gauge, "tombolo_requests_limit", "limits.requests_max.", )                                         \
  X(kThrottled, counter, "tombolo_throttled_requests_total", "Requests answered 503 because they met a limit, by which one.", "dialect", "bound") \
  X(kTlsHandshakes, total, "tombolo_tls_handshakes_total", "TLS handshakes of clients by outcome: ok, failed.", "outcome") \
  X(kTlsExpiry, gauge, "tombolo_tls_certificate_expiry_seconds", "When the TLS certificate in use expires, as Unix time.", )   \
  X(kQueueDepth, gauge, "tombolo_queue_depth", "What waits: commits, tasks for worker threads, jobs.", "queue")        \
  X(kQueueLimit, gauge, "tombolo_queue_limit", "Depth past which the queue refuses.", "queue")                         \
  X(kLogSyncSeconds, histogram, "tombolo_log_sync_duration_seconds", "Time to write and sync one group of the commit log.", ) \
  X(kLogSyncs, total, "tombolo_log_syncs_total", "Syncs of the commit log, marks and new files among them.", )         \
  X(kLogWritten, total, "tombolo_log_written_bytes_total", "Bytes written to the commit log.", )                       \
  X(kLogBytes, gauge, "tombolo_log_bytes", "Bytes of commit log on disk.", )                                           \
  X(kCommitted, total, "tombolo_transactions_total", "Transactions committed since the data directory was made.", )    \
  X(kConflicts, total, "tombolo_transaction_conflicts_total", "Commits that lost a race and were tried again.", )      \
  X(kWritable, gauge, "tombolo_writable", "1 while writes are taken; 0: `tombolo status` says why not.", )             \
  X(kFailedSync, gauge, "tombolo_failed_sync_timestamp_seconds", "When a failed sync last stopped the cell, as Unix time; 0: never, or failed-sync was removed.", ) \
  X(kObjects, gauge, "tombolo_objects", "Objects in all containers.", )                                                \
  X(kObjectBytes, gauge, "tombolo_object_bytes", "Bytes of all objects as clients see them.", )                        \
  X(kPlaceObjects, gauge, "tombolo_place_objects", "Objects by where their bytes are: local, remote or both.", "place") \
  X(kPlaceBytes, gauge, "tombolo_place_bytes", "Bytes of objects by where they are: local, remote or both.", "place")  \
  X(kExposedBytes, gauge, "tombolo_exposed_bytes", "Acknowledged bytes that exist on this machine only.", )            \
  X(kExposedSeconds, gauge, "tombolo_exposed_seconds", "Age of the oldest object that exists on this machine only.", ) \
  X(kCensusTime, gauge, "tombolo_census_timestamp_seconds", "When places and the exposed window were last counted whole.", ) \
  X(kSegmentLiveBytes, gauge, "tombolo_segment_live_bytes", "Bytes of live runs in segments on local flash.", )        \
  X(kSegmentFileBytes, gauge, "tombolo_segment_file_bytes", "Bytes of segment files on local flash.", )                \
  X(kSegmentSyncs, total, "tombolo_segment_syncs_total", "Syncs of segment files.", )                                  \
  X(kDiskFreeBytes, gauge, "tombolo_disk_free_bytes", "Free space where the data directory is.", )                     \
  X(kDiskReserveBytes, gauge, "tombolo_disk_reserve_bytes", "Free space below which uploads are refused: data.segment_bytes and data.reserve_bytes.", )       \
  X(kDamage, counter, "tombolo_damage_total", "Reads of local flash that found damage: corrupt (does not verify), unreadable, missing (the segment is gone).", "kind") \
  X(kCacheBytes, gauge, "tombolo_cache_bytes", "Bytes in the block cache.", )                                          \
  X(kCacheLimitBytes, gauge, "tombolo_cache_limit_bytes", "cache.bytes.", )                                            \
  X(kCacheHits, total, "tombolo_cache_hits_total", "Granules served from the block cache.", )                          \
  X(kCacheMisses, total, "tombolo_cache_misses_total", "Granules not found in the block cache.", )                     \
  X(kCacheEvictions, total, "tombolo_cache_evictions_total", "Granules that left the block cache for others.", )       \
  X(kRemoteUp, gauge, "tombolo_remote_up", "1 while the remote is in use; 0 while it is down: `tombolo remote list` says why.", "remote") \
  X(kRemoteRequests, counter, "tombolo_remote_requests_total", "Operations on remotes by outcome (ok or an error code); of gets also what bodies that failed ended with.", "remote", "operation", "outcome") \
  X(kRemoteSeconds, histogram, "tombolo_remote_request_duration_seconds", "Time of an operation on a remote, retries in it; of a get: to its first byte.", "remote", "operation") \
  X(kRemoteRetries, counter, "tombolo_remote_retries_total", "HTTP requests to remotes after the first of an operation.", "remote", "operation") \
  X(kRemoteUnverified, counter, "tombolo_remote_unverified_total", "Answers of remotes whose bytes did not verify and were asked for once more.", "remote") \
  X(kRemoteReceived, counter, "tombolo_remote_received_bytes_total", "Body bytes read from remotes.", "remote")        \
  X(kRemoteSent, counter, "tombolo_remote_sent_bytes_total", "Body bytes given to remotes, again where tried again.", "remote") \
  X(kJobs, gauge, "tombolo_jobs", "Jobs by state; of ended ones the newest 200 are kept.", "state")                    \
  X(kJobsEnded, total, "tombolo_jobs_ended_total", "Jobs that have ended, by state: done, failed, cancelled.", "state") \
  X(kJobObjectsFailed, total, "tombolo_job_objects_failed_total", "Objects that jobs tried and left as they were, by kind of job.", "kind") \
  X(kAuditRecords, counter, "tombolo_audit_records_total", "Records written to the audit log.", )                      \
  X(kAuditFailures, counter, "tombolo_audit_failures_total", "Records that could not be written to the audit log.", )  \
  X(kAdminRefused, counter, "tombolo_admin_refused_total", "Requests of the admin API without its token, or with a wrong one.", ) \
  X(kProcessStart, gauge, "process_start_time_seconds", "When the process started, in seconds since 1970.", )          \
  X(kProcessCpu, total, "process_cpu_seconds_total", "CPU time of the process.", )                                     \
  X(kProcessMemory, gauge, "process_resident_memory_bytes", "Memory that the process has in use.", )                   \
  X(kProcessFiles, gauge, "process_open_fds", "Open file descriptors.", )                                              \
  X(kProcessFilesLimit, gauge, "process_max_fds", "How many the process may open.", )
// clang-format on

enum class Metric {
#define X(id, ...) id,
  TOMBOLO_METRICS(X)
#undef X
};

using Labels = std::initializer_list<std::string_view>;

/// Thread-safe. Label values come in the order of the table; their number is asserted. A series is made by its first
/// use and stays. The three that give a series take a lock and may allocate: whoever counts in a request's path asks
/// once and keeps the reference, which lives as long as the Metrics.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;

  Counter& counter(Metric counter, Labels labels);
  Histogram& histogram(Metric histogram, Labels labels);
  Gauge& gauge(Metric gauge_or_total, Labels labels);
  void set(Metric gauge_or_total, Labels labels, double value) { gauge(gauge_or_total, labels).set(value); }

  /// Prometheus text format, version 0.0.4; metrics in the order of the table, also those that have no series yet.
  std::string text() const;

 private:
  struct Family;
  std::unique_ptr<Family[]> families_;
};

}  // namespace tombolo::observe
