// The steps of one pass of the collector. Included by tiering/collect*.cc only.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/ids.h"
#include "base/log.h"
#include "meta/model/candidate.h"
#include "meta/model/feed.h"
#include "tiering/collector.h"
#include "tiering/put_off.h"

namespace tombolo::tiering {

/// What a pass, or a step of one, has come to. It may have done much and come upon an error as well: neither hides the
/// other.
struct Pass {
  bool changed = false;              // so that another pass is worth while at once
  std::optional<Error> failed = {};  // the first; others are in the log
  void note(const Result<void>& result) {
    if (!result.ok() && !failed) failed = result.error();
  }
  void add(const Pass& other) {
    changed = changed || other.changed;
    if (!failed) failed = other.failed;
  }
};

/// What passes remember. Used by one pass at a time, but for what says otherwise.
struct Collecting {
  Collecting(store::Services& given_services, CollectorOptions given_options)
      : services(given_services), options(given_options) {}

  /// Damaged entries of a queue: by then some passes have looked at what is behind them.
  static constexpr Duration kDamagedEntryFirst = std::chrono::minutes(1);
  static constexpr int kDamagedEntryPasses = 10;
  /// Segments that cannot be read whole. Each try of a bad sector takes the device's patience.
  static constexpr Duration kDamagedSegmentFirst = std::chrono::minutes(10);

  store::Services& services;
  const CollectorOptions options;

  std::atomic<bool> stopping{false};  // a step ends early when it is set

  std::optional<SteadyTime> uploads_looked_at, feed_looked_at, gens_looked_at;  // from the beginning, the last
  std::array<std::string, meta::kCandidateShards> gens_from;  // by shard: in what is queued before it there is no gen
  std::array<std::string, meta::kFeedShards> feed_trimmed_to;
  std::map<Stamp, std::string> purged_to;  // by PurgeEntry::queued
  SegmentId open_segment;                  // as of the last pass
  std::uint64_t open_tail = 0;
  std::map<SegmentId, std::int64_t> stuck;  // nothing is to be had there while it has so many live bytes

  // What came upon damage. Thread-safe, as all below.
  PutOff<Stamp> purges_put_off{std::max(kDamagedEntryFirst, kDamagedEntryPasses* options.interval)};
  PutOff<std::pair<Stamp, std::uint64_t>> candidates_put_off{
      std::max(kDamagedEntryFirst, kDamagedEntryPasses* options.interval)};  // by when they were queued, and their id
  PutOff<SegmentId> segments_put_off{kDamagedSegmentFirst};

  /// Into the log, unless the same was said not long ago.
  void tell(const std::string& what) {
    const SteadyTime now = services.cell.clock.steady();
    if (told.holds(what, now)) return;
    told.failed(what, now);
    log(LogLevel::kWarn, "tiering", "{}", what);
  }
  PutOff<std::string> told{options.interval};

  /// Shards are collected side by side.
  void count(const CollectorStats& more) {
    const std::lock_guard lock(mutex);
    stats.gens_erased += more.gens_erased;
    stats.segments_freed += more.segments_freed;
    stats.segments_compacted += more.segments_compacted;
    stats.bytes_moved += more.bytes_moved;
    stats.remote_deleted += more.remote_deleted;
    stats.candidates_read += more.candidates_read;
  }
  std::mutex mutex;
  CollectorStats stats;  // guarded by mutex

  // What else waits for a remote that failed is left alone: that of one that is away until the next pass, that of one
  // that lets nothing be deleted for longer.
  bool is_away(const std::string& remote) {
    if (refusing.holds(remote, services.cell.clock.steady())) return true;
    const std::lock_guard lock(mutex);
    return away.contains(remote);
  }
  void found_away(const std::string& remote) {
    const std::lock_guard lock(mutex);
    away.insert(remote);
  }
  PutOff<std::string> refusing{std::chrono::seconds(30)};
  std::set<std::string> away;  // guarded by mutex
};

/// `now` less `grace`, for comparing with when something was queued.
inline Stamp before(Stamp now, Duration grace) {
  const auto micros = static_cast<std::uint64_t>(grace.count());
  return {now.micros > micros ? now.micros - micros : 0};
}

// Each step is bounded. It says in `pass` what it has changed as soon as it has; its own error counts as the pass's.
Task<void> collect_purges(Collecting& collecting, Pass& pass);
Task<void> collect_uploads(Collecting& collecting, Pass& pass);
Task<void> collect_feed(Collecting& collecting, Pass& pass);
Task<void> collect_dead_gens(Collecting& collecting, Pass& pass);
Task<void> collect_dead_natives(Collecting& collecting, Pass& pass);  // waits for remotes: apart from all that is local
Task<void> collect_segments(Collecting& collecting, Pass& pass);
/// Of collect_segments only what costs nothing: segments without a live byte go.
Task<void> free_segments(Collecting& collecting, Pass& pass);

/// One candidate each, older than its grace.
Task<bool> collect_gen(Collecting& collecting, meta::Candidate candidate, Stamp now);
Task<bool> collect_native(Collecting& collecting, meta::Candidate candidate);

}  // namespace tombolo::tiering
