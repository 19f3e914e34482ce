// Remote copies that nothing needs: deleted under the condition that they are still what tombolo wrote.
#include "base/log.h"
#include "meta/ops/gens.h"
#include "meta/ops/tier.h"
#include "remote/remote.h"
#include "tiering/collect.h"
#include "tiering/native_key.h"

namespace tombolo::tiering {
namespace {

/// After a remote refused to delete something: others have their turn.
constexpr Duration kRetry = std::chrono::seconds(30);

/// True when it was deleted, false when it was not there or is not ours.
Task<bool> remove_if_ours(remote::Remote& remote, const meta::NativeKey& native) {
  remote::Condition condition;
  if (!native.etag.empty()) {
    condition.if_etag = native.etag;
    const auto removed = co_await remote.remove(native.key, condition);
    if (removed.ok()) co_return true;
    if (removed.error().code != Code::kConditionFailed) co_return removed.error();
  }
  // Another ETag, or a PUT of which only the intent is known: the nonce decides.
  const auto head = co_await remote.head(native.key);
  if (!head.ok() && head.error().code == Code::kNotFound) co_return false;
  if (!head.ok()) co_return head.error();
  if (!same_origin(nonce_of(head->headers), native.nonce)) {
    log(LogLevel::kWarn, "tiering", "remote \"{}\": \"{}\" was changed outside tombolo; it is left there",
        native.remote, native.key);
    co_return false;
  }
  condition.if_etag = head->object.etag;
  CO_TRY(remote.remove(native.key, condition));
  co_return true;
}

}  // namespace

Task<bool> collect_native(Collecting& collecting, meta::Candidate candidate) {
  if (collecting.is_away(candidate.remote)) co_return false;
  const store::Services& services = collecting.services;
  const meta::Cell cell = services.cell;
  // Whoever replaces what is there under the same key waits, or this would delete the new bytes.
  const auto turn = services.keys_at_work->enter(candidate.remote, candidate.key, store::KeysAtWork::Work::kCollect);
  if (!turn) co_return false;
  CO_TRY_ASSIGN(const meta::NativeVerdict verdict, meta::judge_native(cell, candidate));
  if (verdict.judged != meta::NativeJudged::kDelete) co_return false;
  // Whoever reads the gen now may be at the copy that is to go; who comes later finds its row without it. So a look is
  // enough: a claim held for the judgement, or for the remote, would keep readers of a living gen out.
  if (!services.pins.claim(candidate.tenant, candidate.gen())) co_return false;
  const meta::NativeKey& native = verdict.native;
  Result<bool> removed = false;
  const auto remote = services.remotes.find(native.remote);
  if (remote.ok()) {
    removed = co_await remove_if_ours(**remote, native);
  } else {
    removed = remote.error();
  }
  if (!removed.ok()) {
    const Code code = removed.error().code;
    if (code == Code::kUnavailable || code == Code::kDeadline) collecting.found_away(native.remote);
    if (code == Code::kPermissionDenied) collecting.refusing.failed(native.remote, cell.clock.steady());
    log(LogLevel::kWarn, "tiering", "remote \"{}\": \"{}\" is not needed any more and could not be deleted: {}",
        native.remote, native.key, removed.error().message);
    CO_TRY_ASSIGN(const Stamp now, cell.stamper.next());
    const Duration grace = collecting.options.remote_grace;
    CO_TRY(meta::postpone_candidate(cell, candidate, before(now, grace - std::min(grace, kRetry))));
    co_return false;
  }
  CO_TRY(meta::erase_native_key(cell, candidate.tenant, native.remote, native.key, meta::NativeState::kCondemned,
                                native.nonce));
  CO_TRY(meta::drop_candidate(cell, candidate));
  if (*removed) {
    CollectorStats one;
    one.remote_deleted = 1;
    collecting.count(one);
  }
  co_return true;
}

}  // namespace tombolo::tiering
