// Segment: one segment file in memory. Internal to data/: callers see SegmentStore and SegmentPin.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "async/one_shot.h"
#include "base/clock.h"
#include "data/idle_files.h"
#include "data/layout.h"
#include "disk/disk.h"

namespace tombolo::data {

enum class Life {
  kOpen,      // the one that new runs go into
  kRetired,   // gets no new runs; its last writers may still be at work
  kReleased,  // nothing points into it: no pins any more, its file goes
  kGone,      // the file is going right now
};

struct Segment {
  Segment(SegmentId given_id, std::uint64_t given_incarnation, std::shared_ptr<IdleFiles> the_idle)
      : id(given_id), incarnation(given_incarnation), idle(std::move(the_idle)) {}

  const SegmentId id;
  const std::uint64_t incarnation;
  const std::shared_ptr<IdleFiles> idle;  // of the store; a pin may be the last to let go of it

  std::mutex mutex;
  // All below is guarded by mutex.
  Life life = Life::kRetired;
  bool fenced = false;   // a sync failed: what was not synced by then is lost
  bool suspect = false;  // and what earlier syncs made durable may be lost with it: to be written anew
  std::uint32_t rescues_failed = 0;
  SteadyTime rescue_at;          // not before
  bool sealed = false;           // the row says so, or is about to
  std::uint32_t pins = 0;        // of both kinds
  std::uint32_t unresolved = 0;  // pins of run writers and of sealed runs
  std::uint32_t active_writers = 0;
  std::uint64_t size_max = 0;  // Life::kOpen: no place starts behind it; reserved
  std::uint64_t tail = 0;      // where the next place starts
  std::uint64_t extended = 0;  // length of the file that a writer was told to see to
  std::uint64_t freed_at = 0;  // Life::kReleased: the log's mark must reach this sequence
  /// Open while runs are written, and for readers once one has asked for it. With the last pin of a sealed segment it
  /// moves to `idle`, from where the next pin takes it back if it is still there.
  std::shared_ptr<disk::File> file;
  bool syncing = false;
  std::vector<OneShot<void>> sync_waiters;

  /// "segment 00000000000000ff", for messages.
  std::string name() const;
};

}  // namespace tombolo::data
