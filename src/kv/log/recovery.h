// Opening a commit log: what its files hold, and whether that can be trusted (docs/formats/commit-log.md, "Opening").
#pragma once

#include <memory>
#include <vector>

#include "disk/disk.h"
#include "kv/log/format.h"

namespace tombolo::kv {

/// A group in a file.
struct GroupPlace {
  std::shared_ptr<disk::File> file;
  std::uint64_t number = 0;  // of the file
  std::uint64_t nonce = 0;
  std::uint64_t offset = 0;
  std::uint64_t end = 0;
  Sequence first, last;
  std::uint64_t chain_after = 0;
};

/// A file that is left of the log.
struct LogFile {
  log_format::FileHeader header;     // below the start of recovery only number and first are meant
  std::shared_ptr<disk::File> file;  // null: not readable, and not needed
  std::uint64_t size = 0;            // rounded up to whole blocks
  bool sealed = false;
};

/// What a new file continues from: groups up to `sequence` stay where they are, those above it are copied.
struct LogCut {
  Sequence sequence;
  std::uint64_t chain = 0;  // after `sequence`
  std::uint64_t end = 0;    // in the last file: where what stays ends
};

struct RecoveredLog {
  std::vector<LogFile> files;      // numbers without gaps; empty: there is no log yet
  std::vector<GroupPlace> groups;  // in order without gaps, up to the end of the log
  Sequence last;                   // of the log
  std::uint64_t chain = 0;         // after `last`
  LogCut marked;                   // groups above it must be copied before they are applied
};

/// Reads the log in `directory` and judges it against `applied`, the position that the index persisted. Changes
/// nothing but removing unfinished files. kCorrupt, with file and offset, when opening must halt.
Task<RecoveredLog> recover_log(disk::Disk& disk, std::string directory, std::uint64_t cell_id, Position applied);

/// The record at a place, header to padding. A file may end within the padding of its last record, as a crash leaves
/// it: what is missing there is zeros.
Task<Bytes> read_record(GroupPlace place);

/// Reads one group and verifies it. kCorrupt when it does not.
Task<std::vector<LogEntry>> read_group(GroupPlace place);

}  // namespace tombolo::kv
