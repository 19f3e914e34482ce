#include "server/gauges.h"

#include <algorithm>
#include <array>

#include "async/sleep.h"
#include "async/workers.h"
#include "base/log.h"
#include "server/data_directory.h"
#include "server/process_stats.h"
#include "server/version.h"

namespace tombolo::server {
namespace {

using observe::Metric;

constexpr std::uint32_t kJobsRead = 1'000;

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

void read_log(Cell& cell) {
  observe::Metrics& metrics = cell.metrics();
  const kv::LogEngineStatus engine = cell.engine().status();
  metrics.set(Metric::kLogSyncs, {}, number(engine.log.syncs));
  metrics.set(Metric::kLogWritten, {}, number(engine.log.bytes_written));
  metrics.set(Metric::kLogBytes, {}, number(engine.log.bytes));
  metrics.set(Metric::kCommitted, {}, number(engine.committed.value));
  metrics.set(Metric::kConflicts, {}, number(engine.conflicts));
  metrics.set(Metric::kQueueDepth, {"log"}, number(engine.queued));
  metrics.set(Metric::kQueueLimit, {"log"}, number(engine.queued_max));
}

void read_cache(Cell& cell) {
  observe::Metrics& metrics = cell.metrics();
  const data::BlockCache::Stats cache = cell.cache().stats();
  metrics.set(Metric::kCacheBytes, {}, number(cache.bytes));
  metrics.set(Metric::kCacheHits, {}, number(cache.hits));
  metrics.set(Metric::kCacheMisses, {}, number(cache.misses));
  metrics.set(Metric::kCacheEvictions, {}, number(cache.evictions));
}

Task<void> read_store(Cell& cell) {
  observe::Metrics& metrics = cell.metrics();
  metrics.set(Metric::kSegmentFileBytes, {}, number(cell.segments().file_bytes()));
  metrics.set(Metric::kSegmentSyncs, {}, number(cell.segments().sync_counts().issued));
  CO_TRY_ASSIGN(const CellUsage usage, cell.usage());
  metrics.set(Metric::kObjects, {}, number(usage.objects));
  metrics.set(Metric::kObjectBytes, {}, number(usage.bytes));
  metrics.set(Metric::kSegmentLiveBytes, {}, number(usage.bytes_local));
  CO_TRY_ASSIGN(const disk::Space space, cell.disk().space());
  metrics.set(Metric::kDiskFreeBytes, {}, number(space.free_bytes));
  co_return Result<void>{};
}

Task<void> read_writable(Cell& cell) {
  CO_TRY_ASSIGN(const std::string why_not, cell.why_no_writes());
  cell.metrics().set(Metric::kWritable, {}, why_not.empty() ? 1 : 0);
  co_return Result<void>{};
}

Task<void> read_failed_sync(observe::Metrics& metrics, Workers& workers, std::string data) {
  const auto read = [data = std::move(data)] { return Result<double>(DataDirectory::failed_sync_seconds(data)); };
  CO_TRY_ASSIGN(const double seconds, offload(workers, read));
  metrics.set(Metric::kFailedSync, {}, seconds);
  co_return Result<void>{};
}

Task<void> read_jobs(Cell& cell) {
  const jobs::SchedulerCounts counts = cell.jobs().counts();
  for (const auto& [state, count] : counts.ended) {
    cell.metrics().set(Metric::kJobsEnded, {jobs::state_name(state)}, number(count));
  }
  for (const auto& [kind, count] : counts.objects_failed) {
    cell.metrics().set(Metric::kJobObjectsFailed, {kind}, number(count));
  }
  CO_TRY_ASSIGN(const auto jobs, cell.jobs().list(kJobsRead));
  constexpr std::array kStates = {jobs::JobState::kQueued, jobs::JobState::kRunning, jobs::JobState::kDone,
                                  jobs::JobState::kFailed, jobs::JobState::kCancelled};
  for (const jobs::JobState state : kStates) {
    const auto count = std::count_if(jobs.begin(), jobs.end(), [&](const auto& job) { return job.state == state; });
    cell.metrics().set(Metric::kJobs, {jobs::state_name(state)}, static_cast<double>(count));
    if (state == jobs::JobState::kQueued) {
      cell.metrics().set(Metric::kQueueDepth, {"jobs"}, static_cast<double>(count));
    }
  }
  co_return Result<void>{};
}

void read_process(observe::Metrics& metrics) {
  const ProcessStats process = read_process_stats();
  metrics.set(Metric::kProcessStart, {}, process.start_seconds);
  metrics.set(Metric::kProcessCpu, {}, process.cpu_seconds);
  metrics.set(Metric::kProcessMemory, {}, number(process.resident_bytes));
  metrics.set(Metric::kProcessFiles, {}, number(process.open_files));
  metrics.set(Metric::kProcessFilesLimit, {}, number(process.files_max));
}

void read_tls(observe::Metrics& metrics, const http::TlsServer& tls) {
  const http::TlsServer::Counts counts = tls.counts();
  metrics.set(Metric::kTlsHandshakes, {"ok"}, number(counts.done));
  metrics.set(Metric::kTlsHandshakes, {"failed"}, number(counts.failed));
  metrics.set(Metric::kTlsExpiry, {}, static_cast<double>(tls.certificate().not_after.micros) / 1e6);
}

void show(observe::Metrics& metrics, const tiering::Census& census, WallTime now) {
  const auto place = [&metrics](std::string_view name, const tiering::PlaceCount& count) {
    metrics.set(Metric::kPlaceObjects, {name}, number(count.objects));
    metrics.set(Metric::kPlaceBytes, {name}, number(count.bytes));
  };
  place("local", census.local);
  place("remote", census.remote);
  place("both", census.both);
  metrics.set(Metric::kExposedBytes, {}, number(census.local.bytes));
  metrics.set(Metric::kExposedSeconds, {}, census.oldest_exposed ? age_seconds(*census.oldest_exposed, now) : 0);
  metrics.set(Metric::kCensusTime, {}, static_cast<double>(census.finished.micros) / 1e6);
}

}  // namespace

double age_seconds(Stamp stamp, WallTime now) {
  const std::int64_t age = now.micros - static_cast<std::int64_t>(stamp.micros);
  return static_cast<double>(std::max<std::int64_t>(0, age)) / 1e6;
}

Task<void> refresh_gauges(Cell& cell, Workers& workers, Settings settings, ReadFronts read_fronts,
                          std::shared_ptr<http::TlsServer> tls) {
  observe::Metrics& metrics = cell.metrics();
  metrics.set(Metric::kBuildInfo, {kVersion, kRevision}, 1);
  metrics.set(Metric::kCacheLimitBytes, {}, number(settings.cache_bytes));
  metrics.set(Metric::kDiskReserveBytes, {}, number(settings.segment_bytes + settings.reserve_bytes));
  metrics.set(Metric::kRequestsLimit, {}, number(settings.requests_max));
  metrics.set(Metric::kQueueLimit, {"workers"}, number(workers.queue_max()));
  while (true) {
    read_log(cell);
    read_cache(cell);
    read_process(metrics);
    if (tls) read_tls(metrics, *tls);
    metrics.set(Metric::kQueueDepth, {"workers"}, number(workers.pending()));
    const Fronts fronts = read_fronts();
    metrics.set(Metric::kRequestsRunning, {}, number(fronts.requests_running));
    for (const auto& [listener, stats] : fronts.listeners) {
      metrics.set(Metric::kConnections, {listener}, number(stats.connections));
      metrics.set(Metric::kConnectionsEvicted, {listener}, number(stats.evicted));
      metrics.set(Metric::kConnectionsShed, {listener}, number(stats.shed));
      metrics.set(Metric::kConnectionsLimit, {listener}, number(stats.connections_max));
    }
    // A cell in trouble still shows the rest.
    const auto writable = co_await read_writable(cell);
    const auto stored = co_await read_store(cell);
    const auto jobs = co_await read_jobs(cell);
    const auto failed_sync = co_await read_failed_sync(metrics, workers, settings.data);
    for (const Result<void>& result : {writable, stored, jobs, failed_sync}) {
      if (!result.ok() && result.error().code == Code::kCancelled) co_return result;
    }
    CO_TRY(sleep_for(kGaugesEvery));
  }
}

Task<void> take_censuses(TakeCensus take, observe::Metrics& metrics, Clock& clock, Duration rest) {
  while (true) {
    const auto census = co_await take();
    if (census.ok()) {
      show(metrics, *census, clock.wall());
    } else if (census.error().code == Code::kCancelled) {
      co_return census.error();
    } else {
      log(LogLevel::kWarn, "server", "places were not counted: {}", to_string(census.error()));
    }
    CO_TRY(sleep_for(rest));
  }
}

}  // namespace tombolo::server
