// Recall: brings the bytes of cold objects back to flash.
#pragma once

#include "jobs/scheduler.h"
#include "store/services.h"
#include "store/types.h"

namespace tombolo::tiering {

struct RecallSpec {
  store::ContainerRef container;
  std::string prefix;  // of object names; empty = all
};

/// Registers the job kind "recall". Objects that are local already are skipped; the remote copy stays.
void register_recall(jobs::Scheduler& scheduler, store::Services& services);
/// kNotFound for the container.
Task<JobId> submit_recall(jobs::Scheduler& scheduler, store::Services& services, RecallSpec spec);

}  // namespace tombolo::tiering
