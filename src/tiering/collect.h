// The steps of one pass of the collector. Included by tiering/collect*.cc only.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/ids.h"
#include "meta/model/candidate.h"
#include "meta/model/feed.h"
#include "tiering/collector.h"

namespace tombolo::tiering {

/// What passes remember. Used by one pass at a time, but for what says otherwise.
struct Collecting {
  Collecting(store::Services& given_services, CollectorOptions given_options)
      : services(given_services), options(given_options) {}

  store::Services& services;
  const CollectorOptions options;

  std::atomic<bool> stopping{false};  // a step ends early when it is set

  std::optional<SteadyTime> uploads_looked_at, feed_looked_at;
  std::array<std::string, meta::kFeedShards> feed_trimmed_to;
  bool progressed = false;  // in this pass, whatever its steps say: one that failed may have done much before
  std::map<Stamp, std::string> purged_to;      // by PurgeEntry::queued
  std::map<Stamp, SteadyTime> purges_put_off;  // until then: they came upon damage
  SegmentId open_segment;                      // as of the last pass
  std::uint64_t open_tail = 0;
  struct Stuck {
    std::int64_t live = 0;                 // bytes, then
    std::optional<SteadyTime> again = {};  // the device may have failed for a moment only
  };
  std::map<SegmentId, Stuck> stuck;  // segments that compaction could not empty

  /// Thread-safe: shards are collected side by side.
  void count(const CollectorStats& more) {
    const std::lock_guard lock(mutex);
    stats.gens_erased += more.gens_erased;
    stats.segments_freed += more.segments_freed;
    stats.segments_compacted += more.segments_compacted;
    stats.bytes_moved += more.bytes_moved;
    stats.remote_deleted += more.remote_deleted;
  }
  std::mutex mutex;
  CollectorStats stats;  // guarded by mutex

  // Remotes that failed in this pass over dead natives: what else waits for them is left to the next one.
  bool is_away(const std::string& remote) {
    const std::lock_guard lock(mutex);
    return away.contains(remote);
  }
  void found_away(const std::string& remote) {
    const std::lock_guard lock(mutex);
    away.insert(remote);
  }
  std::set<std::string> away;  // guarded by mutex
};

/// `now` less `grace`, for comparing with when something was queued.
inline Stamp before(Stamp now, Duration grace) {
  const auto micros = static_cast<std::uint64_t>(grace.count());
  return {now.micros > micros ? now.micros - micros : 0};
}

// Each step is bounded, and true when it changed something, so that another pass is worth while at once.
Task<bool> collect_purges(Collecting& collecting);
Task<bool> collect_uploads(Collecting& collecting);
Task<bool> collect_feed(Collecting& collecting);
Task<bool> collect_dead_gens(Collecting& collecting);
Task<bool> collect_dead_natives(Collecting& collecting);  // waits for remotes: apart from all that is local
Task<bool> collect_segments(Collecting& collecting);
/// Of collect_segments only what costs nothing: segments without a live byte go.
Task<bool> free_segments(Collecting& collecting);

/// One candidate each, older than its grace.
Task<bool> collect_gen(Collecting& collecting, meta::Candidate candidate, Stamp now);
Task<bool> collect_native(Collecting& collecting, meta::Candidate candidate);

}  // namespace tombolo::tiering
