#include "tiering/walk_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>

#include "async/mutex.h"
#include "async/retry.h"
#include "async/side_by_side.h"
#include "async/sleep.h"
#include "async/stop_asked.h"
#include "base/log.h"
#include "base/planted_bugs.h"
#include "data/segment_store.h"
#include "meta/ops/list_objects.h"
#include "meta/ops/tier.h"
#include "meta/ops/usage.h"
#include "remote/remote.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint32_t kPage = 1'000;
constexpr std::size_t kWindowMax = 10'000;  // objects between the cursor and the one begun last
constexpr Duration kWindowWait = std::chrono::milliseconds(20);
constexpr std::uint64_t kCheckpointObjects = 1'000;
constexpr Duration kCheckpointEvery = std::chrono::seconds(1);
constexpr int kTriesMax = 3;
constexpr Duration kOpeningLook = std::chrono::milliseconds(200);
constexpr Duration kOpeningMax = std::chrono::hours(1);  // that an object waits for a remote after a start
constexpr std::uint32_t kCountedMax = 200'000;  // objects under a prefix counted beforehand; more: total not known

bool may_pass(const Error& error) {
  if (error.detail == remote::kGaveUp || error.detail == store::kRemoteOpening) return false;
  const Code code = error.code;
  return code == Code::kUnavailable || code == Code::kDeadline || code == Code::kBusy || code == Code::kConflict ||
         code == Code::kUnknownOutcome || error.detail == data::kUnreadable;
}
bool concerns_all(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadline || code == Code::kPermissionDenied ||
         code == Code::kNoSpace;
}
bool changed_by_client(const Error& error) {
  return error.code != Code::kBusy && meta::has_moved(error);
}

void add(jobs::Progress& to, const jobs::Progress& what) {
  to.objects_done += what.objects_done;
  to.bytes_done += what.bytes_done;
  to.objects_skipped += what.objects_skipped;
  to.objects_failed += what.objects_failed;
}

class Walk {
 public:
  Walk(jobs::JobContext& context, store::Services& services, WalkSpec spec, ObjectWork work)
      : context_(context),
        services_(services),
        spec_(std::move(spec)),
        work_(std::move(work)),
        cursor_(context.job().cursor),
        durable_(context.job().progress),
        live_(durable_),
        saved_at_(services.cell.clock.steady()),
        listed_to_(cursor_) {}

  Task<void> run() {
    if (cursor_.empty()) {
      CO_TRY(count());
    } else if (planted(PlantedBug::resume_one_too_far)) {
      CO_TRY(take());
      window_.clear();
      ++window_begin_;
    }
    std::vector<Task<void>> workers;
    for (unsigned n = 0; n < std::max(1u, spec_.parallel); ++n) workers.push_back(worker(*this));
    CO_TRY(side_by_side("walk", std::move(workers)));
    // What lies beyond the cursor is counted when it is looked at again.
    const auto saved = co_await context_.checkpoint(cursor_, durable_);
    if (fatal_) co_return *fatal_;
    if (!saved.ok() && !complete()) co_return saved.error();
    if (unavailable_ && durable_.objects_done + durable_.objects_skipped == 0) co_return *unavailable_;
    co_return Result<void>{};
  }

 private:
  struct Entry {
    std::string name;
    std::optional<jobs::Progress> done;
  };
  struct Taken {
    std::uint64_t number = 0;
    meta::Object object;
  };

  static Task<void> worker(Walk& walk) {
    while (true) {
      auto taken = co_await walk.take();
      if (!taken.ok()) {
        walk.give_up(taken.error());
        co_return Result<void>{};
      }
      if (!*taken) co_return Result<void>{};
      const Taken next = *std::move(*taken);
      const Result<WorkDone> result = co_await walk.attempt(next.object);
      if (!result.ok() && result.error().code == Code::kCancelled && walk.context_.stop_requested()) {
        walk.give_up(result.error());  // it has neither been done nor failed: the next start takes it up
        co_return Result<void>{};
      }
      walk.finish(next, result);
      const Result<void> saved = co_await walk.save_when_due();
      if (!saved.ok()) walk.give_up(saved.error());
    }
  }

  /// The next object; nullopt at the end, or when the walk is given up.
  Task<std::optional<Taken>> take() {
    CO_TRY_ASSIGN(const auto turn, listing_.lock());
    while (true) {
      while (!given_up() && window_full()) {
        CO_TRY(sleep_for(kWindowWait));
      }
      if (given_up()) co_return std::optional<Taken>{};
      while (page_at_ < page_.size()) {
        meta::ObjectEntry& entry = page_[page_at_++];
        if (!entry.object) continue;
        Taken taken;
        taken.object = *std::move(entry.object);
        const std::lock_guard lock(mutex_);
        taken.number = window_begin_ + window_.size();
        window_.push_back({taken.object.name, std::nullopt});
        co_return std::optional<Taken>(std::move(taken));
      }
      if (listed_all_) co_return std::optional<Taken>{};
      meta::ObjectQuery query;
      query.prefix = spec_.prefix;
      query.start_after = listed_to_;
      query.limit = kPage;
      CO_TRY_ASSIGN(meta::ObjectPage page, meta::list_objects(services_.cell, spec_.container, std::move(query)));
      page_ = std::move(page.entries);
      page_at_ = 0;
      listed_all_ = !page.next;
      if (page.next) listed_to_ = *page.next;
    }
  }

  Task<WorkDone> attempt(meta::Object object) {
    RetryOptions options;
    options.tries_max = kTriesMax;
    auto once = [this, &object](int) { return work_(object); };
    auto again = [this](const Error& error) { return may_pass(error) && !given_up(); };
    const StopAsked stop_asked = [this] { return context_.stop_requested(); };
    for (Duration waited{0};; waited += kOpeningLook) {
      const Result<WorkDone> done = co_await retry(options, services_.cell.random, once, again);
      const bool opening = !done.ok() && done.error().detail == store::kRemoteOpening;
      if (!opening || waited >= kOpeningMax || given_up()) co_return done;
      CO_CHECK(go_on(stop_asked));
      CO_TRY(sleep_for(kOpeningLook));
    }
  }

  void finish(const Taken& taken, const Result<WorkDone>& result) {
    jobs::Progress step;
    if (result.ok() && result->changed) {
      step.objects_done = 1;
      step.bytes_done = result->bytes;
    } else if (result.ok() || changed_by_client(result.error())) {
      step.objects_skipped = 1;
    } else {
      step.objects_failed = 1;
      context_.note_failure(fmt::format("{}: {}", taken.object.name, result.error().message));
      log(LogLevel::kWarn, "tiering", "{}: {}: {}", context_.job().title, taken.object.name, to_string(result.error()));
    }
    const std::lock_guard lock(mutex_);
    // A refusal may be for single objects, a lease or a legal hold: those that need nothing say that not all are so.
    const bool refused = unavailable_ && unavailable_->code == Code::kPermissionDenied;
    if (step.objects_done != 0 || (step.objects_skipped != 0 && refused)) in_a_row_ = 0;
    if (step.objects_failed != 0 && concerns_all(result.error().code)) {
      unavailable_ = result.error();
      if (++in_a_row_ >= 2 * std::max(1u, spec_.parallel) && !fatal_) fatal_ = result.error();
    }
    add(live_, step);
    window_[taken.number - window_begin_].done = step;
    while (!window_.empty() && window_.front().done) {
      add(durable_, *window_.front().done);
      cursor_ = std::move(window_.front().name);
      window_.pop_front();
      ++window_begin_;
      ++unsaved_;
    }
    context_.report(live_);
  }

  Task<void> save_when_due() {
    std::string cursor;
    jobs::Progress progress;
    const SteadyTime now = services_.cell.clock.steady();
    {
      const std::lock_guard lock(mutex_);
      if (context_.stop_requested() && !fatal_) {
        fatal_ = Error{Code::kCancelled, "the job was asked to stop"};
      }
      const bool due = unsaved_ >= kCheckpointObjects || (unsaved_ > 0 && now - saved_at_ >= kCheckpointEvery);
      if (!due || saving_) co_return Result<void>{};
      saving_ = true;
      unsaved_ = 0;
      saved_at_ = now;
      cursor = cursor_;
      progress = durable_;
    }
    const Result<void> saved = co_await context_.checkpoint(std::move(cursor), progress);
    const std::lock_guard lock(mutex_);
    saving_ = false;
    context_.report(live_);
    co_return saved;
  }

  /// Totals for whoever watches: exact where it is cheap, left out where it is not.
  Task<void> count() {
    if (spec_.prefix.empty()) {
      CO_TRY_ASSIGN(const meta::Usage usage, meta::read_usage(services_.cell, spec_.container));
      durable_.objects_total = usage.objects;
      durable_.bytes_total = usage.bytes;
    } else {
      CO_TRY(count_prefix());
    }
    live_ = durable_;
    context_.report(live_);
    co_return Result<void>{};
  }

  Task<void> count_prefix() {
    std::uint64_t objects = 0, bytes = 0;
    std::string after;
    while (objects < kCountedMax) {
      meta::ObjectQuery query;
      query.prefix = spec_.prefix;
      query.start_after = after;
      query.limit = kPage;
      CO_TRY_ASSIGN(const meta::ObjectPage page, meta::list_objects(services_.cell, spec_.container, std::move(query)));
      for (const meta::ObjectEntry& entry : page.entries) {
        if (!entry.object) continue;
        ++objects;
        bytes += entry.object->length;
      }
      if (!page.next) {
        durable_.objects_total = objects;
        durable_.bytes_total = bytes;
        co_return Result<void>{};
      }
      after = *page.next;
    }
    co_return Result<void>{};
  }

  void give_up(const Error& why) {
    const std::lock_guard lock(mutex_);
    if (!fatal_) fatal_ = why;
  }
  bool given_up() {
    const std::lock_guard lock(mutex_);
    return fatal_.has_value();
  }
  bool window_full() {
    const std::lock_guard lock(mutex_);
    return window_.size() >= kWindowMax;
  }
  bool complete() {
    const std::lock_guard lock(mutex_);
    return window_.empty() && listed_all_ && page_at_ == page_.size();
  }

  jobs::JobContext& context_;
  store::Services& services_;
  const WalkSpec spec_;
  const ObjectWork work_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<Entry> window_;  // begun objects from the cursor on
  std::uint64_t window_begin_ = 0;
  std::string cursor_;
  jobs::Progress durable_;  // of everything up to the cursor
  jobs::Progress live_;     // of everything
  std::uint64_t unsaved_ = 0;
  SteadyTime saved_at_;
  bool saving_ = false;
  unsigned in_a_row_ = 0;
  std::optional<Error> fatal_;        // ends the walk
  std::optional<Error> unavailable_;  // the last error that may concern all objects

  AsyncMutex listing_;
  // Guarded by listing_.
  std::vector<meta::ObjectEntry> page_;
  std::size_t page_at_ = 0;
  std::string listed_to_;
  bool listed_all_ = false;
};

}  // namespace

Task<void> walk_objects(jobs::JobContext& context, store::Services& services, WalkSpec spec, ObjectWork work) {
  Walk walk(context, services, std::move(spec), std::move(work));
  co_return co_await walk.run();
}

}  // namespace tombolo::tiering
