// Rows of jobs: what decodes encodes to the same bytes, and neither more nor fewer bytes decode.
#include "jobs/job.h"

#include "testing/fuzz.h"

namespace tombolo::jobs {

FUZZ(jobs_job) {
  const fuzz::Exact copy(as_text(input));
  const auto job = decode_job(copy.text());
  if (!job.ok()) {
    ASSERT(job.error().code == Code::kCorrupt);
    return;
  }
  ASSERT(state_name(job->state) != "unknown");
  const std::string again = encode(*job);
  ASSERT(again == copy.text() && !decode_job(again + '\0').ok());
  const fuzz::Exact cut(copy.text().substr(0, fuzz::hash_of(again) % again.size()));
  ASSERT(!decode_job(cut.text()).ok());
}

}  // namespace tombolo::jobs
