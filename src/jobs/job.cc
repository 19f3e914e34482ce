#include "jobs/job.h"

#include "base/wire.h"

namespace tombolo::jobs {
namespace {
constexpr std::uint8_t kVersion = 1;
}

std::string_view state_name(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "queued";
    case JobState::kRunning:
      return "running";
    case JobState::kDone:
      return "done";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string encode(const Job& job) {
  WireWriter w;
  w.u8(kVersion);
  w.u64(job.id.value);
  w.u8(static_cast<std::uint8_t>(job.state));
  w.u32(job.starts);
  w.u64(static_cast<std::uint64_t>(job.created.micros));
  w.u64(static_cast<std::uint64_t>(job.updated.micros));
  const Progress& p = job.progress;
  for (const std::uint64_t n :
       {p.objects_total, p.bytes_total, p.objects_done, p.bytes_done, p.objects_skipped, p.objects_failed}) {
    w.u64(n);
  }
  for (const std::string* text : {&job.kind, &job.title, &job.spec, &job.cursor, &job.error}) w.text(*text);
  return std::move(w).take();
}

Result<Job> decode_job(std::string_view value) {
  WireReader r(value);
  if (const std::uint8_t version = r.u8(); version != kVersion) {
    return Error{Code::kCorrupt, "a job row has an unknown version; was it written by a newer tombolo?"};
  }
  Job job;
  job.id = JobId{r.u64()};
  const std::uint8_t state = r.u8();
  if (state > static_cast<std::uint8_t>(JobState::kCancelled)) return Error{Code::kCorrupt, "job row: unknown state"};
  job.state = static_cast<JobState>(state);
  job.starts = r.u32();
  job.created.micros = static_cast<std::int64_t>(r.u64());
  job.updated.micros = static_cast<std::int64_t>(r.u64());
  Progress& p = job.progress;
  for (std::uint64_t* n :
       {&p.objects_total, &p.bytes_total, &p.objects_done, &p.bytes_done, &p.objects_skipped, &p.objects_failed}) {
    *n = r.u64();
  }
  for (std::string* text : {&job.kind, &job.title, &job.spec, &job.cursor, &job.error}) *text = r.text();
  TRY(r.finish("job row"));
  return job;
}

}  // namespace tombolo::jobs
