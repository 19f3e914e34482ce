// What a job's row holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace tombolo::jobs {

enum class JobState : std::uint8_t { kQueued = 0, kRunning = 1, kDone = 2, kFailed = 3, kCancelled = 4 };
std::string_view state_name(JobState state);
/// True when it will never run again.
inline bool ended(JobState state) {
  return state != JobState::kQueued && state != JobState::kRunning;
}

struct Progress {
  std::uint64_t objects_total = 0, bytes_total = 0;  // 0 = not known
  std::uint64_t objects_done = 0, bytes_done = 0;
  std::uint64_t objects_skipped = 0;  // nothing to do for them, or changed meanwhile by a client
  std::uint64_t objects_failed = 0;   // tried, and left as they were
};

struct Job {
  JobId id;
  std::string kind;    // "offload", "recall", …
  std::string title;   // for a person: "offload photos/2024 to archive"
  std::string spec;    // what to do; belongs to the kind
  std::string cursor;  // how far it is; belongs to the kind; empty = at the start
  JobState state = JobState::kQueued;
  Progress progress;
  std::string error;  // why it failed, or the first object's failure
  WallTime created, updated;
  std::uint32_t starts = 0;  // how often it was started: more than one after a restart
};

/// Value format of docs/formats/values.md, "J".
std::string encode(const Job& job);
Result<Job> decode_job(std::string_view value);

}  // namespace tombolo::jobs
