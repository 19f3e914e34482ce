#include "base/planted_bugs.h"
#include "meta/ops/parts.h"
#include "meta/ops/tier.h"

namespace tombolo::meta {
namespace {

Task<void> set_in(Cell cell, kv::Transaction& txn, TenantId tenant, Gen gen, NativePlace place,
                  const std::string& nonce) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto row, txn.get(keys::gen(tenant, gen.id)));
  const bool moved = !row || (*row != encode(gen) && !planted(PlantedBug::forget_conflict_on_gen));
  if (moved || gen.state != GenState::kLive || gen.native) co_return gen_moved();
  CO_TRY_ASSIGN(auto native, read_native_key(txn, tenant, place.remote, place.key));
  if (!native || native->state != NativeState::kIntent || native->gen != gen.id || native->nonce != nonce) {
    co_return gen_moved();
  }
  txn.erase(keys::candidate(native_candidate(tenant, *native, native->changed)));  // the intent's
  CO_TRY_ASSIGN(native->changed, cell.stamper.next());
  native->state = NativeState::kLive;
  native->etag = place.etag;
  native->version_id = place.version_id;
  gen.native = std::move(place);
  txn.put(keys::native_key(tenant, native->remote, native->key), encode(*native));
  put_gen(txn, tenant, gen);
  co_return Result<void>{};
}

}  // namespace

Task<void> set_native(Cell cell, TenantId tenant, Gen expected, NativePlace place, std::string nonce) {
  auto body = [&](kv::Transaction& txn) { return set_in(cell, txn, tenant, expected, place, nonce); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
