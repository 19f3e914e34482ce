// Offload: copies an object's bytes to a remote in the native format, and evict: drops the local copy.
#pragma once

#include <string>

#include "jobs/scheduler.h"
#include "store/services.h"
#include "store/types.h"

namespace tombolo::tiering {

enum class Evict { kNo, kYes };

struct OffloadSpec {
  store::ContainerRef container;
  std::string prefix;  // of object names; empty = all
  std::string remote;
  Evict evict = Evict::kNo;
};

struct OffloadOptions {
  unsigned parallel = 8;  // objects at once
  /// An object that replaces an offloaded one waits so long for garbage collection to give the native key free, then
  /// counts as failed.
  Duration wait_for_gc = std::chrono::seconds(60);
};

/// Registers the job kind "offload". For each object under the prefix, in byte order: K intent, conditional PUT under
/// `<remote prefix><container>/<name>` with the object's headers and metadata, read back and verify, then one change of
/// the gen's row if nothing has moved; with evict, local places go batch by batch afterwards. The cursor is the last
/// name below which all is done; an object that a client changes meanwhile is left as the client left it (skipped).
/// Each object goes to the remote as it is configured then: one that was on its way when `remote update` changed it is
/// copied anew.
/// Idempotent under kill at any point: at most what was in flight is sent again.
void register_offload(jobs::Scheduler& scheduler, store::Services& services, OffloadOptions options = {});

/// kNotFound for the container, kInvalid for an unknown remote.
Task<JobId> submit_offload(jobs::Scheduler& scheduler, store::Services& services, OffloadSpec spec);

}  // namespace tombolo::tiering
