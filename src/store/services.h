// Services: what the operations work with. server/ makes and owns it all; tests make it over memory.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/units.h"
#include "meta/cell.h"
#include "meta/model/gen.h"
#include "store/gen_pins.h"
#include "store/keys_at_work.h"
#include "store/remotes.h"

namespace tombolo {
class Workers;
namespace data {
class BlockCache;
class SegmentStore;
}  // namespace data
}  // namespace tombolo

namespace tombolo::store {

/// Bounds that an operator may want to move. Defaults are right for one node.
struct Limits {
  /// A cold read asks the remote for at most this much with one GET. Larger: fewer requests; smaller: less to throw
  /// away when a client leaves, and a slow client holds a remote connection for a shorter time.
  std::uint64_t cold_get_bytes_max = 64 * kMiB;
  /// Granules of reads up to this size, hot or cold, are admitted to the block cache; larger ones would wash it out.
  std::uint64_t admit_bytes_max = 1 * kMiB;
  /// Runs of one upload that wait for their rows, 1 … meta::kRunsPerBatchMax. Larger: fewer syncs in long uploads;
  /// smaller: less written for nothing when one fails, less memory for checksums (4 KiB a run).
  std::size_t batch_runs = 32;
  /// The longest run, 1 … meta::kRunBytesMax. Tests make it small, so that small objects have many runs.
  std::uint64_t run_bytes_max = meta::kRunBytesMax;
};

/// Everything in it is thread-safe and outlives every operation and every reader handed out.
struct Services {
  meta::Cell cell;
  data::SegmentStore& segments;
  data::BlockCache& cache;
  Remotes& remotes;
  GenPins& pins;
  Workers& workers;  // hashing
  Limits limits = {};
  /// Called with the name of a remote whose bytes have not verified, asked for twice. Thread-safe and quick.
  std::function<void(std::string_view)> on_remote_rot = {};
  /// Called with what a read found of bytes that lie in a segment: "corrupt" (they do not verify), "unreadable" (the
  /// device fails), "missing" (the segment has gone).
  /// Thread-safe and quick.
  std::function<void(std::string_view)> on_local_damage = {};
  /// One for all copies of these services.
  std::shared_ptr<KeysAtWork> keys_at_work = std::make_shared<KeysAtWork>();
};

}  // namespace tombolo::store
