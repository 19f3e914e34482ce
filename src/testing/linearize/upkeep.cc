// What runs beside the clients.
#include <fmt/format.h>

#include "testing/linearize/run_state.h"
#include "tiering/offload.h"
#include "tiering/recall.h"

namespace tombolo::testing::linearize {

void Run::upkeep_failed(std::string_view what, const Error& error) {
  if (!heard() || error.code == Code::kBusy) return;
  complain(fmt::format("{} failed for no reason: {}", what, to_string(error)));
}

Task<void> Run::rest(unsigned times) {
  const auto most = static_cast<std::uint64_t>(habits_.upkeep.count()) * times;
  co_return co_await sleep_for(Duration(1 + static_cast<std::int64_t>(random_.below(most))));
}

Task<void> Run::collect() {
  while (!over()) {
    CO_TRY(rest(1));
    if (over()) break;
    if (random_.below(3) == 0) {
      const auto rotated = co_await world_.life->segments->rotate();
      if (!rotated.ok()) upkeep_failed("rotating", rotated.error());
    }
    const auto pass = co_await world_.life->collector->pass();
    ++stats_.passes;
    if (!pass.ok()) upkeep_failed("garbage collection", pass.error());
  }
  co_return Result<void>{};
}

Task<void> Run::flush() {
  while (!over()) {
    CO_TRY(rest(5));
    if (over()) break;
    const auto flushed = co_await world_.life->engine->flush();
    if (!flushed.ok()) upkeep_failed("a flush", flushed.error());
  }
  co_return Result<void>{};
}

Task<void> Run::move_bytes() {
  while (!over()) {
    CO_TRY(rest(1));
    if (over()) break;
    CO_TRY(one_job());
  }
  co_return Result<void>{};
}

Task<void> Run::one_job() {
  constexpr std::string_view prefixes[] = {"", "", "b/", "a"};
  const std::string prefix(prefixes[random_.below(std::size(prefixes))]);
  model::Life& life = *world_.life;
  const std::uint64_t which = random_.below(4);
  Result<JobId> id;
  if (which == 0) {
    tiering::RecallSpec spec{.container = model::box(), .prefix = prefix};
    id = co_await tiering::submit_recall(*life.jobs, *life.services, spec);
  } else {
    tiering::OffloadSpec spec{.container = model::box(), .prefix = prefix, .remote = model::kRemoteName};
    if (which != 1) spec.evict = tiering::Evict::kYes;
    id = co_await tiering::submit_offload(*life.jobs, *life.services, spec);
  }
  if (!id.ok()) {
    upkeep_failed("submitting a job", id.error());
    co_return Result<void>{};
  }
  ++stats_.jobs;
  while (heard()) {
    const auto job = co_await life.jobs->get(*id);
    if (!job.ok()) {
      upkeep_failed("looking at a job", job.error());
      break;
    }
    if (jobs::ended(job->state)) {
      stats_.jobs_failed += job->state == jobs::JobState::kFailed;
      stats_.objects_moved += job->progress.objects_done;
      if (options_.narrate && job->state == jobs::JobState::kFailed)
        fmt::print(stderr, "a job failed: {}\n", job->error);
      break;
    }
    CO_TRY(sleep_for(std::chrono::milliseconds(1)));
  }
  co_return Result<void>{};
}

}  // namespace tombolo::testing::linearize
