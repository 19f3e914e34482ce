// SegmentStore: the segment files of a cell. Writers append runs and share syncs; readers pin what they stream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "async/scope.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/units.h"
#include "data/layout.h"
#include "data/run_writer.h"
#include "data/scan.h"
#include "data/segment_pin.h"
#include "data/segment_rows.h"
#include "disk/disk.h"
#include "kv/kv.h"

namespace tombolo::data {

/// Error::detail of a kCorrupt that the device itself refused to read.
inline constexpr std::string_view kUnreadable = "Unreadable";

struct SegmentStoreConfig {
  /// A segment gets no more runs once it is this long (the last run may end beyond). Smaller: space comes back sooner;
  /// larger: fewer files.
  std::uint64_t segment_bytes = 64 * kMiB;
  /// No segment is opened unless so much stays free on the disk besides it: what deletes, compaction and the commit
  /// log need on a disk that is full for everybody else.
  std::uint64_t keep_free_bytes = 128 * kMiB;
  /// Run writers at once; past it begin_run gives kBusy.
  std::uint32_t writers_max = 4'096;
  /// Files of sealed segments held open without a pin, the ones used last. One is two descriptors when this process
  /// wrote it. More: fewer reads that open a file first.
  std::uint32_t idle_files_max = 256;
  /// Written into segment headers, for whoever finds a file alone.
  std::uint64_t cell = 0;
};

struct BeginRun {
  TenantId tenant;
  GenId gen;
  std::uint64_t gen_offset = 0;
  std::uint64_t length_max = kRunBytesMax;  // 1 … kRunBytesMax; so much is reserved, what is not used is lost
  /// kFreesSpace (compaction): runs go into segments of their own, which may be opened out of keep_free_bytes.
  kv::Purpose purpose = kv::Purpose::kStores;
};

/// A segment as its file is now. Released ones are not told of.
struct SegmentUse {
  SegmentId segment;
  std::uint64_t tail = 0;    // where the next place starts, or the file's end
  bool open = false;         // gets new runs
  bool compactable = false;  // see SegmentStore::compactable
};

struct ReapReport {
  std::uint32_t files = 0;
  std::uint64_t bytes = 0;
  std::uint32_t waiting = 0;    // released, and still pinned or not yet below the log's mark
  std::optional<Error> failed;  // the first of the files that could not be removed; they are tried again
};

/// Thread-safe. It writes the S rows itself: the row before the file, the file gone before the row. After a restart it
/// opens a new segment: old tails are never appended to, names are never used twice. Nothing below may be called
/// before open() or after close().
class SegmentStore {
 public:
  /// `engine`, `disk` and `random` outlive the store.
  SegmentStore(kv::Engine& engine, disk::Disk& disk, Random& random, Clock& clock, SegmentStoreConfig config = {});
  ~SegmentStore();
  SegmentStore(const SegmentStore&) = delete;

  /// Reads the rows. Segments of earlier processes count as sealed; those that were open are written anew, since nobody
  /// knows whether the disk has what is read of them, and those that were being freed are freed again. A file
  /// that is missing is no error here: reading from it is (kCorrupt). Background work runs on the executor that runs
  /// this task, which must keep running until close() has ended.
  Task<void> open();
  /// Admits no new work and waits for what runs in the background. Requires: no run writer and no reader is left.
  Task<void> close();

  /// A writer with a place of its own. kNoSpace: the disk is full (heals by itself when space comes back). kBusy: too
  /// many writers. kUnavailable: the disk fails.
  Task<std::unique_ptr<RunWriter>> begin_run(BeginRun run);

  /// Everything that was sealed into these segments before the call is durable when it succeeds. Callers at the same
  /// time share one sync a segment. After a failed sync the segment is fenced: all its runs that no sync had covered
  /// are lost, every later sync of it fails, and new runs go elsewhere. What earlier syncs had covered is written anew
  /// in the background, since the failure may have come from there (docs/durability.md). Duplicates are fine.
  Task<void> sync(std::vector<SegmentId> segments);

  /// Keeps the file while it lives. kNotFound when the segment is gone or going: re-read the row that named it.
  Result<SegmentPin> pin(SegmentId segment);

  /// The open segment for runs of this purpose gets no more runs (compaction may then empty it). Its row becomes sealed
  /// when its last writer has gone.
  Task<void> rotate(kv::Purpose purpose = kv::Purpose::kStores);
  /// Marks a segment that nothing points into as going. kConditionFailed while it has live bytes, kBusy while it is
  /// open or a run in it waits for its commit, kNotFound when there is none such. Call reap() later: the file goes when
  /// no pin holds it and the log's mark covers whatever freed it.
  Task<void> release(SegmentId segment);
  /// Removes the files of released segments that nothing holds any more, all that it can: ReapReport::failed has the
  /// first error. Tries again what suspects() counts; what keeps failing is tried less and less often, at least once an
  /// hour.
  Task<ReapReport> reap();

  /// Writes the header of a file that has none which verifies or can be read: it follows from the row. False when there
  /// is no such segment, or file, or when the header is a whole one (another segment's, then).
  Task<bool> rewrite_header(SegmentId segment);

  /// Bytes of all segment files, those on the way out too. For status and metrics.
  std::uint64_t file_bytes() const;
  /// Free space of the disk below which the next run that stores gets kNoSpace; 0 while a segment is open for it.
  std::uint64_t free_bytes_needed() const;
  /// True for a segment that compaction may empty: sealed, or retired with no writer left.
  bool compactable(SegmentId segment) const;
  /// In order of ids.
  std::vector<SegmentUse> uses() const;
  /// Segments whose bytes have yet to be written anew after a sync that failed. Losing power may lose some of them.
  std::uint32_t suspects() const;
  /// How many syncs were issued to files, and how many callers they served.
  struct SyncCounts {
    std::uint64_t issued = 0, served = 0;
  };
  SyncCounts sync_counts() const;

  /// Reads from a pinned segment's file, opening it (and checking its header) when needed. kCorrupt names the segment
  /// when the file is missing, cut, or another one's, or, with kUnreadable, when the device fails to read it there.
  Task<void> read(const SegmentPin& pin, std::uint64_t offset, MutableBytes out);
  /// What a pinned segment's file holds, without any row (scan.h). Errors: those of read(); kCancelled when asked to
  /// stop.
  Task<SegmentScan> scan(const SegmentPin& pin, ScanDepth depth, StopAsked stop_asked = {});
  /// Where the segment files are, for checks that start from files instead of rows.
  disk::Disk& disk();
  /// Runs `task` in the background until it ends; false when the store is closing.
  bool spawn(const Executor& executor, Task<void> task);

 private:
  friend class RunWriter;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tombolo::data
