// GenWriter: the bytes of a stream on their way into a new gen.
#pragma once

#include <memory>
#include <vector>

#include "async/task.h"
#include "base/bytes.h"
#include "data/run_writer.h"
#include "meta/ops/new_gen.h"

namespace tombolo::store {

struct Services;

/// Up to kInlineBytesMax the bytes go into the gen's row, more into runs. A gen of few runs needs no row before the
/// transaction that publishes it; a longer one gets an intent and its rows in batches, each batch synced before it is
/// named. Keep the writer until the publishing transaction is resolved: it pins the segments.
/// Not thread-safe; one call at a time; after an error only abandon() and destruction. Holds no bytes but those
/// of the run's next write.
class GenWriter {
 public:
  /// `services` outlives it. `length` is exactly what append() will be given.
  GenWriter(Services& services, TenantId tenant, std::uint64_t length);

  /// kNoSpace, kBusy, kUnavailable.
  Task<void> append(Block block);
  /// Everything appended is durable; what is given is ready to be published. Requires that all bytes were appended.
  Task<meta::NewGen> finish();
  /// The last runs are durable; finish() has seen to it, unless a planted bug leaves it to the writer's owner.
  Task<void> sync();
  /// After any failure, the publishing's included: garbage collection may take what was staged. A failure of this
  /// itself is logged: a later process finds the intent.
  Task<void> abandon();

 private:
  Task<void> begin();
  Task<void> append_to_runs(Block block);
  Task<void> seal();
  Task<void> stage();
  std::vector<meta::Run> take_rows();

  Services& services_;
  const TenantId tenant_;
  const std::uint64_t length_;
  GenId gen_;
  std::uint64_t appended_ = 0;
  std::uint64_t sealed_end_ = 0;  // bytes in sealed runs, in this batch or before
  std::uint64_t crc64_ = 0;
  std::string inline_bytes_;
  std::unique_ptr<data::RunWriter> run_;
  std::vector<data::SealedRun> batch_;  // sealed, in no row yet
  bool staged_ = false;
};

}  // namespace tombolo::store
