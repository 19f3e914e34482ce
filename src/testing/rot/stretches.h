// Stretches: which bytes something live needs. A flip anywhere else harms nobody, and counts for nothing.
#pragma once

#include <string>
#include <vector>

#include "testing/rot/cell.h"

namespace tombolo::testing::rot {

enum class Area : std::uint8_t { kRun, kRunHeader, kSegmentHeader, kRemote, kLog, kTable };
inline constexpr std::size_t kAreas = 6;
std::string_view name_of(Area area);

/// Some bytes of a stretch are these bytes of an object.
struct Reader {
  std::string object;
  std::uint64_t at = 0;      // in the object
  std::uint64_t from = 0;    // in the stretch
  std::uint64_t length = 0;  // of both
  bool elsewhere = false;    // the object's bytes are in another place too
};

struct Stretch {
  Area area = Area::kRun;
  std::string file;  // a path on the disk, or a key of the remote
  std::uint64_t offset = 0, length = 0;
  std::vector<Reader> readers;
  std::string named;      // what fsck calls it
  std::size_t group = 0;  // of a run and its header the same
};

/// Of a cell that lives and rests: kRun, kRunHeader, kSegmentHeader, kRemote.
Result<std::vector<Stretch>> find_in_use(RotCell& cell);
/// Of a cell that does not live: the headers of the log's files and the records that the index has not flushed.
Result<std::vector<Stretch>> find_in_log(RotCell& cell, kv::Sequence flushed);
/// RocksDB's tables, whole.
Result<std::vector<Stretch>> find_in_tables(RotCell& cell);

}  // namespace tombolo::testing::rot
