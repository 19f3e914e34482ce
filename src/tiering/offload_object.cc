#include "tiering/offload_object.h"

#include <fmt/format.h>

#include "async/sleep.h"
#include "base/planted_bugs.h"
#include "meta/ops/gens.h"
#include "meta/ops/objects.h"
#include "meta/ops/tier.h"
#include "tiering/evict.h"
#include "tiering/native_copy.h"
#include "tiering/native_key.h"
#include "tiering/pin_gen.h"

namespace tombolo::tiering {

namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(200);
constexpr int kSetTriesMax = 5;

struct Claim {
  std::string nonce;
  std::string replace_etag;
  bool look_first = false;
};

Error key_in_use(const OffloadTarget& target, const std::string& key) {
  return {Code::kAlreadyExists,
          fmt::format("\"{}\" in remote \"{}\" holds the bytes of another object", key, target.remote->name()),
          "NativeKeyInUse"};
}

/// What was written and verified counts where later reads will look for it alone, and `remote update` may have put
/// another place under the remote's name meanwhile.
Result<void> require_in_use(const store::Services& services, const OffloadTarget& target) {
  TRY_ASSIGN(const auto in_use, services.remotes.find(target.remote->name()));
  if (in_use == target.remote) return {};
  return Error{
      Code::kBusy,
      fmt::format("remote \"{}\" was changed by `tombolo remote update` while the object was copied to it; what "
                  "is on flash stays there: offload it again",
                  target.remote->name()),
      "RemoteChanged"};
}

/// True when nothing holds the gen any more, or it is gone: garbage collection will give its key free.
Task<bool> is_dying(store::Services& services, TenantId tenant, GenId gen) {
  CO_TRY_ASSIGN(const auto row, meta::get_gen(services.cell, tenant, gen));
  if (!row || row->state == meta::GenState::kCondemned) co_return true;
  CO_TRY_ASSIGN(const auto edges, meta::list_edges(services.cell, tenant, gen, 1));
  co_return edges.empty();
}

/// One look at row K: a claim when the intent stands. nullopt: a dead gen still owns the key, and may have readers.
Task<std::optional<Claim>> try_claim(store::Services& services, const OffloadTarget& target, std::string key,
                                     GenId gen) {
  const TenantId tenant = target.container.tenant;
  CO_TRY_ASSIGN(const auto row, meta::get_native_key(services.cell, tenant, target.remote->name(), key));
  Claim claim;
  if (row && row->state == meta::NativeState::kIntent && row->gen == gen) {
    claim.nonce = row->nonce;  // ours, from before a crash: whatever it put there is this gen's
    claim.look_first = true;
    co_return std::optional<Claim>(std::move(claim));
  }
  if (row && row->state == meta::NativeState::kLive && !planted(PlantedBug::overwrite_only_place)) {
    CO_TRY_ASSIGN(const auto owner, meta::get_gen(services.cell, tenant, row->gen));
    if (owner) {
      CO_TRY_ASSIGN(const bool dying, is_dying(services, tenant, row->gen));
      if (!dying) co_return key_in_use(target, key);
      co_return std::optional<Claim>{};
    }
  }
  if (row) {
    if (row->state != meta::NativeState::kIntent) claim.replace_etag = row->etag;
    claim.look_first = claim.replace_etag.empty();
  }
  claim.nonce = next_nonce(services.cell.random, row ? row->nonce : std::string{});
  meta::NativeKey intent;
  intent.remote = target.remote->name();
  intent.key = key;
  intent.gen = gen;
  intent.nonce = claim.nonce;
  const auto put = co_await meta::put_native_intent(services.cell, tenant, std::move(intent));
  if (!put.ok() && put.error().detail == "NativeKeyInUse") co_return std::optional<Claim>{};
  if (!put.ok()) co_return put.error();
  co_return std::optional<Claim>(std::move(claim));
}

Error being_collected(const OffloadTarget& target, const std::string& key) {
  return {Code::kBusy, fmt::format("\"{}\" in remote \"{}\" is being deleted for an object that is gone; offload it "
                                   "again later",
                                   key, target.remote->name())};
}

/// The key for this offload alone; nullopt when another one is at it.
Task<std::optional<store::KeysAtWork::Handle>> enter_key(store::Services& services, const OffloadTarget& target,
                                                         std::string key) {
  using store::KeysAtWork;
  for (Duration waited{0};; waited += kLookAgain) {
    auto turn = services.keys_at_work->enter(target.remote->name(), key, KeysAtWork::Work::kOffload);
    if (turn) co_return std::move(turn);
    if (services.keys_at_work->at(target.remote->name(), key) == KeysAtWork::Work::kOffload) {
      co_return std::optional<KeysAtWork::Handle>{};
    }
    CO_CHECK(go_on(target.stop_asked));
    if (waited >= target.wait_for_gc) co_return being_collected(target, key);
    CO_TRY(sleep_for(kLookAgain));
  }
}

Task<Claim> claim_key(store::Services& services, const OffloadTarget& target, std::string key, GenId gen) {
  for (Duration waited{0};; waited += kLookAgain) {
    CO_TRY_ASSIGN(auto claim, try_claim(services, target, key, gen));
    if (claim) co_return *std::move(claim);
    CO_CHECK(go_on(target.stop_asked));
    if (waited >= target.wait_for_gc) {
      co_return Error{Code::kBusy, fmt::format("\"{}\" in remote \"{}\" holds the bytes of an object that was replaced "
                                               "or deleted a moment ago; offload it again later",
                                               key, target.remote->name())};
    }
    CO_TRY(sleep_for(kLookAgain));
  }
}

/// True when the gen has the place; false when a client changed the object meanwhile. What then lies in the remote goes
/// with the gen: its K row is an intent that garbage collection judges.
Task<bool> name_place(store::Services& services, const OffloadTarget& target, std::string name, meta::Gen gen,
                      meta::NativePlace place, std::string nonce) {
  const TenantId tenant = target.container.tenant;
  for (int tries = 0; tries < kSetTriesMax; ++tries) {
    const auto object = co_await meta::get_object(services.cell, target.container, name);
    if (!object.ok() && object.error().code != Code::kNotFound) co_return object.error();
    if (!object.ok() || object->gen != gen.id) co_return false;
    CO_CHECK(require_in_use(services, target));
    const auto set = co_await meta::set_native(services.cell, tenant, gen, place, nonce);
    if (set.ok()) co_return true;
    if (set.error().detail != "GenMoved") co_return set.error();
    CO_TRY_ASSIGN(const auto now, meta::get_gen(services.cell, tenant, gen.id));
    if (!now || now->state != meta::GenState::kLive) co_return false;
    if (now->native) co_return now->native->remote == place.remote && now->native->key == place.key;
    gen = *now;
  }
  co_return Error{Code::kBusy, "the gen's row keeps changing; try again later"};
}

/// Of a gen whose copy was verified when it was named: much may have happened to that since.
Task<bool> evict_if_asked(store::Services& services, const OffloadTarget& target, meta::Gen gen) {
  if (target.evict == Evict::kNo) co_return false;
  const TenantId tenant = target.container.tenant;
  CO_TRY_ASSIGN(const bool nothing_left, is_evicted(services, tenant, gen));
  if (nothing_left) co_return false;
  CO_TRY(check_copy(target.remote, *gen.native, gen.length));
  CO_CHECK(require_in_use(services, target));
  CO_TRY_ASSIGN(const Evicted evicted, evict_gen(services, tenant, gen.id, target.stop_asked));
  co_return evicted.freed_bytes > 0 || !gen.evicted;
}

/// Copies, verifies and names the place. False when a client changed the object meanwhile.
Task<bool> copy_out(store::Services& services, const OffloadTarget& target, meta::Object object, meta::Gen gen,
                    std::string key) {
  CO_TRY_ASSIGN(Claim claim, claim_key(services, target, key, gen.id));
  NativeCopy copy;
  copy.remote = target.remote;
  copy.key = key;
  copy.tenant = target.container.tenant;
  copy.gen = gen;
  copy.headers = headers_of(object, claim.nonce);
  copy.nonce = claim.nonce;
  copy.replace_etag = std::move(claim.replace_etag);
  copy.look_first = claim.look_first;
  copy.stop_asked = target.stop_asked;
  CO_TRY_ASSIGN(remote::RemoteObject stored, ensure_copy(services, std::move(copy)));
  meta::NativePlace place;
  place.remote = target.remote->name();
  place.key = std::move(key);
  place.etag = std::move(stored.etag);
  place.version_id = std::move(stored.version_id);
  co_return co_await name_place(services, target, std::move(object.name), std::move(gen), std::move(place),
                                std::move(claim.nonce));
}

}  // namespace

Task<Offloaded> offload_object(store::Services& services, OffloadTarget target, meta::Object object) {
  const TenantId tenant = target.container.tenant;
  const Offloaded nothing;
  Offloaded done;
  done.changed = true;
  done.bytes = object.length;
  CO_TRY_ASSIGN(const auto pin, pin_gen(services, tenant, object.gen, target.wait_for_gc));
  if (!pin) co_return nothing;
  CO_TRY_ASSIGN(const auto gen, meta::get_gen(services.cell, tenant, object.gen));
  if (!gen || gen->state != meta::GenState::kLive) co_return nothing;
  if (gen->native) {
    if (gen->native->remote != target.remote->name()) {
      co_return Error{Code::kInvalid, fmt::format("\"{}\" is in remote \"{}\" already; an object has one remote",
                                                  object.name, gen->native->remote)};
    }
    CO_TRY_ASSIGN(const bool evicted, evict_if_asked(services, target, *gen));
    co_return evicted ? done : nothing;
  }
  const std::string key = target.key_prefix + object.name;
  CO_TRY_ASSIGN(const auto turn, enter_key(services, target, key));
  if (!turn) co_return nothing;
  const GenId id = gen->id;
  CO_TRY_ASSIGN(const bool named, copy_out(services, target, std::move(object), *gen, key));
  if (!named) co_return nothing;
  if (target.evict == Evict::kYes) {
    CO_CHECK(require_in_use(services, target));
    CO_TRY(evict_gen(services, tenant, id, target.stop_asked));
  }
  co_return done;
}

}  // namespace tombolo::tiering
