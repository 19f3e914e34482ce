// Death of gens in two phases (core.md §3), shard by shard, side by side, so that their transactions share syncs.
#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>

#include "async/scope.h"
#include "base/log.h"
#include "meta/ops/gens.h"
#include "tiering/collect.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint32_t kPage = 256;
constexpr std::uint32_t kPagesPerPass = 40;
constexpr int kErasesPerGen = 200;  // batches of 200 rows; a larger gen takes several passes

struct Shard {
  unsigned number = 0;
  bool changed = false;
  Result<void> result;
};

Task<bool> collect_one(Collecting& collecting, meta::Candidate candidate, Stamp now) {
  const CollectorOptions& options = collecting.options;
  switch (candidate.kind) {
    case meta::CandidateKind::kGen: {
      if (candidate.queued >= before(now, options.grace)) co_return false;
      co_return co_await collect_gen(collecting, std::move(candidate), now);
    }
    case meta::CandidateKind::kNative: {
      if (candidate.queued >= before(now, options.remote_grace)) co_return false;
      co_return co_await collect_native(collecting, std::move(candidate));
    }
  }
  co_return false;
}

Task<void> collect_pages(Collecting& collecting, Shard& shard, Stamp now) {
  const Stamp youngest = before(now, std::min(collecting.options.grace, collecting.options.remote_grace));
  std::optional<meta::Candidate> after;
  for (std::uint32_t pages = 0; pages < kPagesPerPass && !collecting.stopping; ++pages) {
    CO_TRY_ASSIGN(const auto page,
                  meta::list_candidates(collecting.services.cell, shard.number, youngest, kPage, after));
    for (const meta::Candidate& candidate : page) {
      if (collecting.stopping) break;
      CO_TRY_ASSIGN(const bool changed, collect_one(collecting, candidate, now));
      shard.changed = shard.changed || changed;
    }
    if (page.size() < kPage) break;
    after = page.back();
  }
  co_return Result<void>{};
}

Task<void> collect_shard(Collecting& collecting, Shard& shard, Stamp now) {
  shard.result = co_await collect_pages(collecting, shard, now);
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

Task<bool> collect_candidates(Collecting& collecting) {
  CO_TRY_ASSIGN(const Stamp now, collecting.services.cell.stamper.next());
  const auto executor = co_await boost::asio::this_coro::executor;
  std::array<Shard, meta::kCandidateShards> shards;
  for (unsigned n = 0; n < shards.size(); ++n) shards[n].number = n;
  {
    Scope side_by_side("collect");
    for (Shard& shard : shards) side_by_side.spawn(executor, collect_shard(collecting, shard, now));
    CO_TRY(side_by_side.join());
  }
  bool changed = false;
  for (const Shard& shard : shards) {
    CO_CHECK(shard.result);
    changed = changed || shard.changed;
  }
  co_return changed;
}

}  // namespace tombolo::tiering
