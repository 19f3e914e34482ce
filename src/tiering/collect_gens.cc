// Death of gens in two phases (core.md §3), shard by shard, side by side, so that their transactions share syncs.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "async/side_by_side.h"
#include "base/log.h"
#include "meta/ops/gens.h"
#include "tiering/collect.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint32_t kPage = 256;
constexpr std::uint32_t kTakenPerPass = 10'000;       // of one shard
constexpr std::uint32_t kScannedPerPass = 1'000'000;  // of one shard: the other kind may stand before ours
constexpr std::uint32_t kFailedPerPass = 100;         // of one shard, not over damage: something is wrong with all
// A transaction that took its stamp so long before it was committed is met in the next look from the beginning.
constexpr Duration kHeadAgeMin = std::chrono::minutes(10);
constexpr Duration kLookFromBeginningEvery = std::chrono::hours(1);
constexpr int kErasesPerGen = 200;  // batches of 200 rows; a larger gen takes several passes

struct Shard {
  unsigned number = 0;
  meta::CandidateKind kind = meta::CandidateKind::kGen;
  std::uint32_t taken = 0, failed = 0;
  Pass pass = {};
};

Task<bool> collect_one(Collecting& collecting, meta::Candidate candidate, Stamp now) {
  switch (candidate.kind) {
    case meta::CandidateKind::kGen:
      co_return co_await collect_gen(collecting, std::move(candidate), now);
    case meta::CandidateKind::kNative:
      co_return co_await collect_native(collecting, std::move(candidate));
  }
  co_return false;
}

/// One that fails does not keep the others from being collected. False: stop here.
Task<bool> take(Collecting& collecting, Shard& shard, meta::Candidate candidate, Stamp now) {
  const std::pair key(candidate.queued, candidate.id);
  const SteadyTime steady = collecting.services.cell.clock.steady();
  if (collecting.candidates_put_off.holds(key, steady)) co_return true;
  ++shard.taken;
  const GenId gen = candidate.gen();
  const Result<bool> changed = co_await collect_one(collecting, std::move(candidate), now);
  if (changed.ok()) {
    shard.pass.changed = shard.pass.changed || *changed;
    co_return true;
  }
  if (changed.error().code == Code::kCancelled) co_return changed.error();
  if (is_damage(changed.error())) {
    collecting.candidates_put_off.failed(key, steady);
  } else {
    ++shard.failed;
  }
  const Error error{changed.error().code, fmt::format("gen {}: {}", gen.value, changed.error().message)};
  if (shard.pass.failed) log(LogLevel::kWarn, "tiering", "garbage collection: {}", to_string(error));
  shard.pass.note(error);
  co_return shard.failed < kFailedPerPass;
}

/// Remote copies wait for a week, and gens for seconds: a pass over gens begins behind what waits before them.
class Head {
 public:
  Head(Collecting& collecting, const Shard& shard, Stamp now)
      : keeps_(shard.kind == meta::CandidateKind::kGen),
        from_(collecting.gens_from[shard.number]),
        youngest_(before(now, kHeadAgeMin)) {}
  const std::string& from() const { return keeps_ ? from_ : nothing_; }
  /// A page that follows those before it.
  void passed(const meta::RowPage<meta::Candidate>& page) {
    keeps_ = keeps_ && page.broken.empty() && std::all_of(page.rows.begin(), page.rows.end(), [this](const auto& row) {
               return row.kind != meta::CandidateKind::kGen && row.queued < youngest_;
             });
    if (keeps_ && !page.next.empty()) from_ = page.next;
  }

 private:
  bool keeps_;
  std::string& from_;
  const std::string nothing_;
  const Stamp youngest_;
};

Task<void> collect_pages(Collecting& collecting, Shard& shard, Stamp now, Stamp youngest) {
  Head head(collecting, shard, now);
  meta::CandidateQuery query{.shard = shard.number, .before = youngest, .limit = kPage, .from = head.from()};
  for (std::uint32_t scanned = 0; scanned < kScannedPerPass; scanned += kPage) {
    CO_TRY_ASSIGN(auto page, meta::list_candidates(collecting.services.cell, query));
    CollectorStats read;
    read.candidates_read = page.rows.size();
    collecting.count(read);
    head.passed(page);
    for (const std::string& broken : page.broken) collecting.tell("candidates of garbage collection: " + broken);
    for (const meta::Candidate& candidate : page.rows) {
      if (collecting.stopping || shard.taken >= kTakenPerPass) co_return Result<void>{};
      if (candidate.kind != shard.kind) continue;
      CO_TRY_ASSIGN(const bool go_on, take(collecting, shard, candidate, now));
      if (!go_on) co_return Result<void>{};
    }
    if (page.next.empty()) co_return Result<void>{};
    query.from = std::move(page.next);
  }
  co_return Result<void>{};
}

Task<void> collect_shard(Collecting& collecting, Shard& shard, Stamp now, Stamp youngest) {
  const Result<void> listed = co_await collect_pages(collecting, shard, now, youngest);
  shard.pass.note(listed);
  co_return Result<void>{};
}

Task<void> collect_kind(Collecting& collecting, Pass& pass, meta::CandidateKind kind) {
  const meta::Cell cell = collecting.services.cell;
  const CollectorOptions& options = collecting.options;
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  const Stamp youngest = before(now, kind == meta::CandidateKind::kGen ? options.grace : options.remote_grace);
  std::vector<Shard> shards;
  for (unsigned n = 0; n < meta::kCandidateShards; ++n) {
    const meta::CandidateQuery query{.shard = n, .before = youngest, .limit = 1};
    const auto first = co_await meta::list_candidates(cell, query);
    // Most are empty, most of the time. One that cannot be listed says so itself, and keeps no other from being
    // collected.
    if (!first.ok() || !first->rows.empty() || !first->broken.empty()) shards.push_back({.number = n, .kind = kind});
  }
  std::vector<Task<void>> collects;
  for (Shard& shard : shards) collects.push_back(collect_shard(collecting, shard, now, youngest));
  CO_TRY(side_by_side("collect", std::move(collects)));
  for (const Shard& shard : shards) pass.add(shard.pass);
  co_return Result<void>{};
}

}  // namespace

Task<bool> collect_gen(Collecting& collecting, meta::Candidate candidate, Stamp now) {
  const meta::Cell cell = collecting.services.cell;
  CO_TRY_ASSIGN(const meta::Judged judged, meta::condemn_gen(cell, candidate));
  if (judged != meta::Judged::kCondemned) co_return false;
  // A reader pins first and then reads the row: while the claim holds, it finds the gen gone.
  const auto claim = collecting.services.pins.claim(candidate.tenant, candidate.gen());
  if (!claim) co_return false;
  for (int batches = 0; batches < kErasesPerGen; ++batches) {
    CO_TRY_ASSIGN(const meta::Erased erased, meta::erase_gen(cell, candidate, before(now, collecting.options.grace)));
    switch (erased) {
      case meta::Erased::kMore:
        break;
      case meta::Erased::kNotYet:
        co_return true;  // condemned just now
      case meta::Erased::kRevived:
        co_return true;
      case meta::Erased::kDone: {
        CollectorStats one;
        one.gens_erased = 1;
        collecting.count(one);
        co_return true;
      }
    }
  }
  co_return true;
}

Task<void> collect_dead_gens(Collecting& collecting, Pass& pass) {
  const SteadyTime now = collecting.services.cell.clock.steady();
  if (!collecting.gens_looked_at || now - *collecting.gens_looked_at >= kLookFromBeginningEvery) {
    collecting.gens_looked_at = now;
    collecting.gens_from = {};
  }
  co_return co_await collect_kind(collecting, pass, meta::CandidateKind::kGen);
}

Task<void> collect_dead_natives(Collecting& collecting, Pass& pass) {
  {
    const std::lock_guard lock(collecting.mutex);
    collecting.away.clear();
  }
  co_return co_await collect_kind(collecting, pass, meta::CandidateKind::kNative);
}

}  // namespace tombolo::tiering
