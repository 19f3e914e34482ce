#include "tiering/evict.h"

#include "meta/ops/gens.h"
#include "meta/ops/purge.h"
#include "meta/ops/tier.h"
#include "tiering/put_off.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint32_t kPiecesPerLook = 64;
constexpr std::uint32_t kPage = 1'000;
constexpr std::uint32_t kPurgesMax = 10'000;
constexpr std::uint32_t kFailedMax = 20;  // not over damage: something is wrong with all of them

enum class Lies { kOnFlash, kInTheRemoteOnly };

/// Whether any run of the gen's bytes does.
Task<bool> any_run(store::Services& services, TenantId tenant, const meta::Gen& gen, Lies where) {
  for (std::uint64_t at = 0; at < gen.length;) {
    meta::ReadRange range;
    range.offset = at;
    range.length = gen.length - at;
    range.pieces_max = kPiecesPerLook;
    CO_TRY_ASSIGN(const auto plan, meta::plan_read(services.cell, tenant, gen.id, range));
    if (!plan) co_return Error{Code::kNotFound, "the gen is gone", "GenGone"};
    if (plan->pieces.empty()) co_return Error{Code::kCorrupt, "a gen has no row for some of its bytes"};
    for (const meta::ReadPiece& piece : plan->pieces) {
      if (piece.run && piece.run->local.has_value() == (where == Lies::kOnFlash)) co_return true;
      at = piece.offset + piece.length;
    }
  }
  co_return false;
}

}  // namespace

Task<bool> is_evicted(store::Services& services, TenantId tenant, meta::Gen gen) {
  if (!gen.evicted) co_return false;
  CO_TRY_ASSIGN(const bool any_local, any_run(services, tenant, gen, Lies::kOnFlash));
  co_return !any_local;
}

Task<bool> needs_remote(store::Services& services, TenantId tenant, meta::Gen gen) {
  co_return co_await any_run(services, tenant, gen, Lies::kInTheRemoteOnly);
}

namespace {

Task<void> purge(store::Services& services, meta::PurgeEntry entry) {
  meta::BatchEnd batch;
  while (batch.progress == meta::Progress::kMore) {
    CO_TRY_ASSIGN(batch, meta::purge_batch(services.cell, entry, batch.next));
  }
  co_return Result<void>{};
}

/// A commit leaves its upload to be purged: until then the upload holds the blocks too, and they would stay on flash.
/// True when there was one. What is wrong with others than our own is no concern of an eviction: garbage collection,
/// which looks at them too, tells it.
Task<bool> purge_uploads(store::Services& services, const StopAsked& stop_asked) {
  bool any = false;
  std::uint32_t tried = 0, failed = 0;
  std::string from;
  do {
    CO_TRY_ASSIGN(auto page, meta::list_purges(services.cell, kPage, std::move(from)));
    for (const meta::PurgeEntry& entry : page.rows) {
      if (entry.kind != meta::PurgeKind::kUpload) continue;
      CO_CHECK(go_on(stop_asked));
      const auto purged = co_await purge(services, entry);
      if (!purged.ok() && purged.error().code == Code::kCancelled) co_return purged.error();
      any = any || purged.ok();
      if (!purged.ok() && !is_damage(purged.error())) ++failed;
      if (++tried == kPurgesMax || failed == kFailedMax) co_return any;
    }
    from = std::move(page.next);
  } while (!from.empty());
  co_return any;
}

Task<Evicted> clear_all(store::Services& services, TenantId tenant, GenId gen, const StopAsked& stop_asked) {
  Evicted done;
  CO_TRY_ASSIGN(const Stamp token, meta::mark_evicted(services.cell, tenant, gen));
  meta::ClearCursor cursor;
  while (true) {
    CO_CHECK(go_on(stop_asked));
    CO_TRY_ASSIGN(const meta::ClearBatch batch, meta::clear_local(services.cell, tenant, gen, token, cursor));
    done.freed_bytes += batch.freed_bytes;
    done.kept_sources += batch.kept_sources;
    if (batch.progress == meta::Progress::kDone) co_return done;
    cursor = batch.cursor;
  }
}

}  // namespace

Task<Evicted> evict_gen(store::Services& services, TenantId tenant, GenId gen, StopAsked stop_asked) {
  CO_TRY_ASSIGN(Evicted done, clear_all(services, tenant, gen, stop_asked));
  if (done.kept_sources == 0) co_return done;
  CO_TRY_ASSIGN(const bool purged, purge_uploads(services, stop_asked));
  if (!purged) co_return done;
  CO_TRY_ASSIGN(const Evicted more, clear_all(services, tenant, gen, stop_asked));
  done.freed_bytes += more.freed_bytes;
  done.kept_sources = more.kept_sources;
  co_return done;
}

}  // namespace tombolo::tiering
