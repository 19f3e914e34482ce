// What is done to a cell, and what must come of it. Each gives what broke a promise; nothing when all was well.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "testing/rot/damage.h"

namespace tombolo::testing::rot {

using Complaint = std::optional<std::string>;

struct Count {
  std::uint64_t made = 0, detected = 0;
  std::uint64_t repaired = 0;  // read well all the same, from another place
  Count& operator+=(const Count& more) {
    made += more.made;
    detected += more.detected;
    repaired += more.repaired;
    return *this;
  }
};
struct Counts {
  Count flips, blocks;  // blocks: misdirected and stale
  Count& of(How how) { return how == How::kFlip ? flips : blocks; }
};
struct Tally {
  std::array<Counts, kAreas> areas;
  std::uint64_t reads = 0, wrong_reads = 0, fsck_runs = 0, reopened = 0;
  std::uint64_t mended = 0;          // by fsck --repair
  std::uint64_t compacted_away = 0;  // damage in filters or properties of tables that a compaction replaced unnoticed
  Count& of(const Damage& damage) { return areas[static_cast<std::size_t>(damage.area)].of(damage.how); }
};

/// How many bits to flip in each area.
using Quota = std::array<std::uint64_t, kAreas>;

/// Of a living cell: runs, headers, remote objects. Every object is read, and fsck names each damage.
Complaint rot_in_use(RotCell& cell, const Quota& quota, Tally& tally);
/// The commit log, of the living process and then of a stopped one, which does not start on it. The cell lives again
/// afterwards.
Complaint rot_in_log(RotCell& cell, const Quota& quota, Tally& tally);
/// RocksDB's tables below a process that starts on them.
Complaint rot_in_tables(RotCell& cell, const Quota& quota, Tally& tally);

/// Every object as it must be, and every name; what `may_fail` names may be an error instead of bytes.
Complaint read_everything(RotCell& cell, Tally& tally, const std::function<bool(const std::string&)>& may_fail);

}  // namespace tombolo::testing::rot
