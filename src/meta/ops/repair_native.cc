#include "meta/ops/parts.h"
#include "meta/ops/repair.h"

namespace tombolo::meta {
namespace {

/// True while row i is `expected`, live, and names a native place.
Task<bool> is_as_expected(kv::Transaction& txn, TenantId tenant, const Gen& expected) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  if (expected.state != GenState::kLive || !expected.native) co_return false;
  CO_TRY_ASSIGN(const auto row, txn.get(keys::gen(tenant, expected.id)));
  co_return row && *row == encode(expected);
}

bool is_its_own(const std::optional<NativeKey>& native, const Gen& gen) {
  return native && native->state == NativeState::kLive && native->gen == gen.id;
}

Task<bool> forget_in(Cell cell, kv::Transaction& txn, TenantId tenant, Gen gen) {
  CO_TRY_ASSIGN(const bool expected, is_as_expected(txn, tenant, gen));
  if (!expected || gen.evicted) co_return false;
  const NativePlace place = *std::exchange(gen.native, std::nullopt);
  put_gen(txn, tenant, gen);
  CO_TRY_ASSIGN(auto native, read_native_key(txn, tenant, place.remote, place.key));
  if (!is_its_own(native, gen)) co_return true;
  CO_TRY_ASSIGN(native->changed, cell.stamper.next());
  native->state = NativeState::kIntent;
  native->etag.clear();
  native->version_id.clear();
  txn.put(keys::native_key(tenant, native->remote, native->key), encode(*native));
  queue_native(txn, tenant, *native, native->changed);
  co_return true;
}

Task<bool> adopt_in(Cell cell, kv::Transaction& txn, TenantId tenant, Gen gen, const NativePlace& now) {
  CO_TRY_ASSIGN(const bool expected, is_as_expected(txn, tenant, gen));
  if (!expected) co_return false;
  CO_TRY_ASSIGN(auto native, read_native_key(txn, tenant, gen.native->remote, gen.native->key));
  if (!is_its_own(native, gen)) co_return false;
  gen.native->etag = native->etag = now.etag;
  gen.native->version_id = native->version_id = now.version_id;
  CO_TRY_ASSIGN(native->changed, cell.stamper.next());
  txn.put(keys::native_key(tenant, native->remote, native->key), encode(*native));
  put_gen(txn, tenant, gen);
  co_return true;
}

Task<bool> restore_in(Cell cell, kv::Transaction& txn, TenantId tenant, const Gen& gen, const std::string& nonce) {
  CO_TRY_ASSIGN(const bool expected, is_as_expected(txn, tenant, gen));
  if (!expected) co_return false;
  CO_TRY_ASSIGN(const auto there, read_native_key(txn, tenant, gen.native->remote, gen.native->key));
  if (there) co_return false;
  NativeKey native;
  native.remote = gen.native->remote;
  native.key = gen.native->key;
  native.state = NativeState::kLive;
  native.gen = gen.id;
  native.nonce = nonce;
  native.etag = gen.native->etag;
  native.version_id = gen.native->version_id;
  CO_TRY_ASSIGN(native.changed, cell.stamper.next());
  txn.put(keys::native_key(tenant, native.remote, native.key), encode(native));
  co_return true;
}

Task<bool> requeue_in(Cell cell, kv::Transaction& txn, TenantId tenant, const NativeKey& seen) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto native, read_native_key(txn, tenant, seen.remote, seen.key));
  const bool dead = native && native->state != NativeState::kLive && native->gen == seen.gen;
  if (!dead) co_return false;
  CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
  queue_native(txn, tenant, *native, now);
  co_return true;
}

}  // namespace

Task<bool> forget_native(Cell cell, TenantId tenant, Gen expected) {
  auto body = [&](kv::Transaction& txn) { return forget_in(cell, txn, tenant, expected); };
  co_return co_await transact(cell, body);
}

Task<bool> adopt_native(Cell cell, TenantId tenant, Gen expected, std::string etag, std::string version_id) {
  NativePlace now;
  now.etag = std::move(etag);
  now.version_id = std::move(version_id);
  auto body = [&](kv::Transaction& txn) { return adopt_in(cell, txn, tenant, expected, now); };
  co_return co_await transact(cell, body);
}

Task<bool> restore_native_key(Cell cell, TenantId tenant, Gen expected, std::string nonce) {
  auto body = [&](kv::Transaction& txn) { return restore_in(cell, txn, tenant, expected, nonce); };
  co_return co_await transact(cell, body);
}

Task<bool> requeue_native_key(Cell cell, TenantId tenant, NativeKey native) {
  auto body = [&](kv::Transaction& txn) { return requeue_in(cell, txn, tenant, native); };
  co_return co_await transact(cell, body);
}

}  // namespace tombolo::meta
