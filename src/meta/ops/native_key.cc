#include <algorithm>

#include "base/assert.h"
#include "base/planted_bugs.h"
#include "meta/ops/parts.h"
#include "meta/ops/tier.h"

namespace tombolo::meta {
namespace {

/// True when the gen is gone or can never be revived: condemned, and without the edge that may have slipped in before
/// (none can come after).
Task<bool> is_dead(kv::Transaction& txn, TenantId tenant, GenId gen) {
  CO_TRY_ASSIGN(const auto row, read_gen(txn, tenant, gen));
  if (!row) co_return true;
  if (row->state != GenState::kCondemned) co_return false;
  const std::string edges = keys::edges(tenant, gen);
  CO_TRY_ASSIGN(const auto held, read_prefix(txn, edges, edges, 1));
  co_return held.rows.empty();
}

Task<void> intent_in(Cell cell, kv::Transaction& txn, TenantId tenant, NativeKey intent) {
  txn.set_purpose(kv::Purpose::kFreesSpace);  // offload is how a full disk gets room
  CO_TRY_ASSIGN(const auto there, read_native_key(txn, tenant, intent.remote, intent.key));
  if (there && there->state == NativeState::kLive) {
    CO_TRY_ASSIGN(const bool dead, is_dead(txn, tenant, there->gen));
    if (!dead && !planted(PlantedBug::overwrite_only_place))
      co_return Error{Code::kAlreadyExists, "the remote's key holds another object's bytes", "NativeKeyInUse"};
  }
  CO_TRY_ASSIGN(intent.changed, cell.stamper.next());
  intent.state = NativeState::kIntent;
  intent.etag.clear();
  intent.version_id.clear();
  txn.put(keys::native_key(tenant, intent.remote, intent.key), encode(intent));
  queue_native(txn, tenant, intent, intent.changed);
  co_return Result<void>{};
}

Task<bool> erase_in(kv::Transaction& txn, TenantId tenant, const NativeKey& which) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(const auto there, read_native_key(txn, tenant, which.remote, which.key));
  const bool erased = there && there->state == which.state && there->nonce == which.nonce;
  if (erased) txn.erase(keys::native_key(tenant, which.remote, which.key));
  co_return erased;
}

Task<NativeVerdict> judge_in(Cell cell, kv::Transaction& txn, const Candidate& candidate) {
  txn.set_purpose(kv::Purpose::kFreesSpace);
  CO_TRY_ASSIGN(auto there, read_native_key(txn, candidate.tenant, candidate.remote, candidate.key));
  if (!there || there->state == NativeState::kLive) {
    txn.erase(keys::candidate(candidate));
    co_return NativeVerdict{.judged = NativeJudged::kGone, .native = {}};
  }
  if (candidate.queued < there->changed) {
    // Of an offload, or of another gen that had the key, from before the row became what it is: its own grace counts.
    txn.erase(keys::candidate(candidate));
    queue_native(txn, candidate.tenant, *there, there->changed);
    co_return NativeVerdict{.judged = NativeJudged::kTooEarly, .native = {}};
  }
  if (there->state == NativeState::kIntent) {
    CO_TRY_ASSIGN(const bool dead, is_dead(txn, candidate.tenant, there->gen));
    if (!dead) {
      CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
      txn.erase(keys::candidate(candidate));
      queue_native(txn, candidate.tenant, *there, now);
      co_return NativeVerdict{.judged = NativeJudged::kIntent, .native = {}};
    }
    there->state = NativeState::kCondemned;  // as of the intent: no object ever was there alone
    txn.put(keys::native_key(candidate.tenant, candidate.remote, candidate.key), encode(*there));
  }
  co_return NativeVerdict{.judged = NativeJudged::kDelete, .native = *std::move(there)};
}

}  // namespace

Task<std::optional<NativeKey>> get_native_key(Cell cell, TenantId tenant, std::string remote, std::string key) {
  const auto snapshot = cell.engine.snapshot();
  co_return co_await read_native_key(*snapshot, tenant, std::move(remote), std::move(key));
}

Task<void> put_native_intent(Cell cell, TenantId tenant, NativeKey intent) {
  ASSERT(intent.gen && !intent.nonce.empty());
  if (keys::escape(intent.key).size() > keys::kNameBytesMax) {
    co_return Error{Code::kInvalid, "the native key takes more than 2,400 bytes when encoded", "InvalidResourceName"};
  }
  auto body = [&](kv::Transaction& txn) { return intent_in(cell, txn, tenant, intent); };
  co_return co_await transact(cell, body);
}

Task<bool> erase_native_key(Cell cell, TenantId tenant, std::string remote, std::string key, NativeState state,
                            std::string nonce) {
  NativeKey which;
  which.remote = std::move(remote);
  which.key = std::move(key);
  which.state = state;
  which.nonce = std::move(nonce);
  auto body = [&](kv::Transaction& txn) { return erase_in(txn, tenant, which); };
  co_return co_await transact(cell, body);
}

Task<NativeVerdict> judge_native(Cell cell, Candidate candidate) {
  ASSERT(candidate.kind == CandidateKind::kNative);
  auto body = [&](kv::Transaction& txn) { return judge_in(cell, txn, candidate); };
  co_return co_await transact(cell, body);
}

Task<std::vector<NativeKey>> list_native_keys(Cell cell, TenantId tenant, std::string remote, std::string start_after,
                                              std::uint32_t limit) {
  const auto snapshot = cell.engine.snapshot();
  const std::string prefix = keys::native_keys(tenant, remote);
  std::string begin = prefix;
  if (!start_after.empty()) begin = keys::native_key(tenant, remote, start_after) + '\0';
  CO_TRY_ASSIGN(const auto page, read_prefix(*snapshot, prefix, begin, std::clamp<std::uint32_t>(limit, 1, 1'000)));
  std::vector<NativeKey> out;
  for (const kv::Row& row : page.rows) {
    CO_CHECK_ASSIGN(auto named, keys::name_of_native(row.key));
    CO_CHECK_ASSIGN(NativeKey native, decode_native_key(std::move(named.remote), std::move(named.key), row.value));
    out.push_back(std::move(native));
  }
  co_return out;
}

}  // namespace tombolo::meta
