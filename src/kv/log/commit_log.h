// CommitLog: the files of the commit log, written by one writer (docs/formats/commit-log.md).
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>

#include "base/random.h"
#include "kv/log/recovery.h"

namespace tombolo::kv {

struct CommitLogOptions {
  std::string directory = "log";           // below the disk's root
  std::uint64_t cell_id = 1;               // whose log this is; another cell's files are refused
  std::uint64_t file_bytes = 16ull << 20;  // a file's size, reserved beforehand; one spare file is held as well
};

struct CommitLogStats {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;          // written in files that are kept
  std::uint64_t bytes_written = 0;  // groups and marks since opening
  std::uint64_t syncs = 0;          // since opening
};

/// make_room, append, mark and prepare_spare: one at a time, one caller (the committer). The rest is thread-safe.
/// After kUnavailable from one of the former the log is fenced: nobody knows what the disk holds, and every later call
/// fails the same.
class CommitLog {
 public:
  /// Recovers and starts a new file. `disk` must outlive the log. kCorrupt: recover_log's halts.
  static Task<std::unique_ptr<CommitLog>> open(disk::Disk& disk, Random& random, CommitLogOptions options,
                                               Position applied);

  /// Applies to `index` what lies above the position it has persisted.
  Task<void> replay(Index& index);

  /// kNoSpace, and kBusy: no descriptor, memory or worker at the moment. The log is as it was, and the same may succeed
  /// later.
  static bool may_pass(const Error& error) { return error.code == Code::kNoSpace || error.code == Code::kBusy; }

  /// A group of up to `payload_bytes` can be appended when it succeeds. What may pass changes nothing. Its errors are
  /// those of server_fault.
  Task<void> make_room(std::size_t payload_bytes);
  /// Writes and syncs one record. Requires sequences that follow, and make_room before. After what may pass the same
  /// group may already be on the disk: append it again until it succeeds, and nothing else.
  Task<Position> append(const std::vector<LogEntry>& group);
  /// Writes and syncs a mark, so that durable_through() reaches the last group.
  Task<void> mark();
  /// Makes the spare file if there is none. What may pass leaves things as they are.
  Task<void> prepare_spare();
  bool has_spare() const { return has_spare_; }
  /// Only opening it again will help. The committer's, too.
  bool fenced() const { return fenced_; }
  /// The first transaction that files of this life may hold. Those below it are in files that were found: a sync of the
  /// last of them may have failed in an earlier life after theirs had succeeded, and taken them along. What was read of
  /// them is then in the page cache alone, and safe only once the index has been flushed.
  Sequence begun_at() const { return begun_at_; }

  /// Removes files that hold nothing at or above `flushed`, the position that the index holds in durable files. First
  /// those that hold nothing above it get the seals that a crash left them without, and not before: where a sync of
  /// such a file had failed in an earlier life, one that fails here may take away what was read of it. What cannot be
  /// sealed is told of in the log, and tried again.
  Task<void> trim(Sequence flushed);
  /// Durable transactions after `after`, at most `limit`. kNotFound when they were trimmed.
  Task<std::vector<LogEntry>> read(Sequence after, std::uint32_t limit);

  /// Reads every group that is kept. kCorrupt, with file and offset, when one does not verify.
  Task<void> verify();

  Position position() const;  // of the last group
  /// What append(group) will give when it succeeds.
  Position position_after(const std::vector<LogEntry>& group) const;
  /// What a mark on the disk says.
  Sequence durable_through() const { return {durable_through_.load(std::memory_order_acquire)}; }
  CommitLogStats stats() const;

 private:
  CommitLog(disk::Disk& disk, Random& random, CommitLogOptions options)
      : disk_(disk), random_(random), options_(std::move(options)) {}

  std::string path(std::string_view name) const { return options_.directory + "/" + std::string(name); }
  Task<void> create_directory();
  Task<void> start_first();
  Task<void> start_after(RecoveredLog& recovered);
  Task<LogFile> continue_from(const RecoveredLog& recovered);
  Task<std::unique_ptr<disk::File>> open_spare();
  Task<std::unique_ptr<disk::File>> spare_file();
  Task<LogFile> create_file(log_format::FileHeader header, const std::vector<GroupPlace>& copies);
  Task<void> sync_name();
  Task<void> seal(const LogFile& file, const log_format::FileHeader& successor);
  Task<void> seal_older(Sequence flushed);
  Task<void> extend(std::size_t payload_bytes);
  Task<void> rotate();
  Task<void> finish_rotation();
  Task<void> write_synced(std::uint64_t offset, PageBytes record);
  static Task<void> sync_record(disk::File& file);
  Result<void> unfenced() const;
  Task<void> or_fenced(Task<void> sync);
  log_format::RecordHeader next_record(log_format::Kind kind) const;
  struct NextGroup {
    log_format::RecordHeader header;
    Bytes payload;
    std::uint64_t chain_after = 0;
  };
  NextGroup next_group(const std::vector<LogEntry>& group) const;

  disk::Disk& disk_;
  Random& random_;
  const CommitLogOptions options_;

  // The writer's.
  std::uint64_t offset_ = 0;  // where the next record goes in the last file
  bool has_spare_ = false;
  bool fenced_ = false;
  Sequence begun_at_{1};
  std::optional<LogFile> successor_;  // has its name; nothing is appended before the last file is sealed
  std::atomic<std::uint64_t> durable_through_{0};

  mutable std::mutex mutex_;
  std::deque<LogFile> files_;
  std::deque<GroupPlace> groups_;
  Position position_;
  CommitLogStats stats_;
};

}  // namespace tombolo::kv
