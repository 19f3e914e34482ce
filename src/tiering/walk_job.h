// walk_objects: a job's way through the objects under a prefix, several at once, with a durable cursor.
#pragma once

#include <functional>
#include <string>

#include "jobs/scheduler.h"
#include "meta/model/object.h"
#include "store/services.h"

namespace tombolo::tiering {

struct WalkSpec {
  meta::ContainerKey container;
  std::string prefix;     // of object names; empty = all
  unsigned parallel = 8;  // objects at once, at least 1
};

struct WorkDone {
  bool changed = false;  // false: skipped
  std::uint64_t bytes = 0;
};

/// Works on one object; called again after an error that a later try may cure. Not a coroutine itself (HOUSE 16): it
/// gives the Task of one.
using ObjectWork = std::function<Task<WorkDone>(meta::Object)>;

/// Calls `work` for each object in byte order of names, from the job's cursor on. The cursor is the last name below
/// which, itself included, everything has been tried; it is made durable every second or thousand objects. An object
/// whose work fails is counted, the first of them named in Job::error, and the walk goes on; a client's change while it
/// is worked on ("GenMoved", "GenGone", but not kBusy) counts as skipped. Ends with an error when the medium or remote
/// fails for every object: kUnavailable, kDeadline or kNoSpace for 2 × parallel of them without one that was done
/// between them, kPermissionDenied without one that was done or skipped, or any of these for all there are. An object
/// whose remote is being opened (store::kRemoteOpening) waits for that; one whose work ends with kCancelled once the
/// job is asked to stop has not been tried.
Task<void> walk_objects(jobs::JobContext& context, store::Services& services, WalkSpec spec, ObjectWork work);

}  // namespace tombolo::tiering
