// What a SegmentStore keeps in memory. Internal to data/.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include "async/mutex.h"
#include "data/segment.h"
#include "data/segment_store.h"

namespace tombolo::data {

/// Locks: `mutex` before a segment's, and that before the one of `idle`. None is held across a wait.
struct SegmentStore::State {
  State(kv::Engine& given_engine, disk::Disk& given_disk, Random& given_random, Clock& given_clock,
        SegmentStoreConfig given_config)
      : engine(given_engine),
        disk(given_disk),
        random(given_random),
        clock(given_clock),
        config(given_config),
        idle(std::make_shared<IdleFiles>(given_config.idle_files_max)) {}

  kv::Engine& engine;
  disk::Disk& disk;
  Random& random;
  Clock& clock;
  const SegmentStoreConfig config;
  const std::shared_ptr<IdleFiles> idle;
  Scope scope{"segments"};
  std::optional<Executor> executor;  // of open(): for what no caller waits for
  AsyncMutex reaping;
  std::atomic<std::uint64_t> syncs_issued{0}, syncs_served{0};

  /// Runs of one purpose go into one open segment.
  struct Stream {
    std::shared_ptr<Segment> current;  // life kOpen
    bool opening = false;
    std::vector<OneShot<void>> open_waiters;
  };

  std::mutex mutex;
  // All below is guarded by mutex.
  std::map<SegmentId, std::shared_ptr<Segment>> segments;
  std::array<Stream, 2> streams;  // by kv::Purpose
  std::uint32_t writers = 0;

  Stream& stream(kv::Purpose purpose) { return streams[purpose == kv::Purpose::kFreesSpace ? 1 : 0]; }

  std::shared_ptr<Segment> find(SegmentId id);

  // segment_store.cc: runs, syncs, reads
  /// Null when no segment is open.
  Result<std::unique_ptr<RunWriter>> allocate(SegmentStore& store, const BeginRun& run);
  void writer_gone(const std::shared_ptr<Segment>& segment, std::uint64_t start, std::uint64_t length_max,
                   std::uint64_t used);
  Task<void> sync_loop(std::shared_ptr<Segment> segment);
  /// Requires: the caller keeps the segment pinned until this has ended.
  Task<std::shared_ptr<disk::File>> file_of(std::shared_ptr<Segment> segment);

  // segment_lifecycle.cc: which segments there are
  Task<void> recover(SegmentInfo info);
  Task<void> wait_for_open(kv::Purpose purpose);
  Task<void> open_for_waiters(kv::Purpose purpose);
  Task<void> open_segment(kv::Purpose purpose);
  Task<std::shared_ptr<disk::File>> make_file(SegmentHeader header, std::uint64_t reserve_bytes);
  /// No new runs go into it; its row becomes sealed once its last writer has gone. Fine to call twice.
  void retire(const std::shared_ptr<Segment>& segment);
  void seal_when_idle(const std::shared_ptr<Segment>& segment);
  Task<void> seal(SegmentPin pin);
  /// The row, and nothing else: it stays open while the segment is suspect, and when it is fenced.
  Task<void> seal_row(std::shared_ptr<Segment> segment);

  // segment_freeing.cc: how they go
  Task<kv::Sequence> mark_freeing(SegmentId id);
  Task<void> forget(SegmentId id);

  // segment_rewrite.cc: after a sync that failed
  void fence(const std::shared_ptr<Segment>& segment, const Error& why);
  Task<void> rescue(std::shared_ptr<Segment> segment);
  Task<void> rescue_all();
  /// For a file of an earlier process. The segment stays suspect where it could not be written anew.
  Task<void> rescue_found(std::shared_ptr<Segment> segment, std::shared_ptr<disk::File> file);
  /// The new file, durable in the place of the old one. After an error the old one is what it was.
  Task<std::shared_ptr<disk::File>> write_anew(SegmentId id, std::shared_ptr<disk::File> file);
};

}  // namespace tombolo::data
