// Collector: takes out dead gens in two phases, purges deleted containers, compacts and frees segments, deletes remote
// copies that nothing needs, and the old end of the change feed.
#pragma once

#include <memory>

#include "base/units.h"
#include "meta/ops/feed.h"
#include "store/services.h"

namespace tombolo::tiering {

struct CollectorOptions {
  Duration interval = std::chrono::seconds(5);       // between passes; a pass that found work is followed at once
  Duration grace = std::chrono::seconds(5);          // from condemned to erased
  Duration remote_grace = std::chrono::seconds(30);  // from erased to the remote copy's conditional delete
  unsigned compact_dead_percent = 20;                // a sealed segment with more dead bytes is rewritten
  std::uint64_t compact_bytes_max = 256 * kMiB;      // live bytes moved in one pass, give or take a segment
  Duration uploads_every = std::chrono::hours(1);    // between looks for uploads that were left behind
  Duration feed_every = std::chrono::minutes(10);    // between looks for records of the change feed that are too old
  Duration feed_kept = Duration(meta::kFeedMicrosKept);
};

struct CollectorStats {
  std::uint64_t gens_erased = 0, segments_freed = 0, segments_compacted = 0, bytes_moved = 0, remote_deleted = 0;
  std::uint64_t candidates_read = 0;  // rows of the queue of dead gens and remote copies
};

/// start() spawns two tasks on `executor`, one for what is local and one that waits for remotes; stop() ends them at
/// their next step and waits for that. Thread-safe.
class Collector {
 public:
  Collector(store::Services& services, Executor executor, CollectorOptions options = {});
  ~Collector();
  void start();
  Task<void> stop();
  /// One whole pass now; true when it changed something. For tests and for the kill harness.
  Task<bool> pass();
  CollectorStats stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tombolo::tiering
