// What deleted containers and dropped uploads left behind, and uploads that nobody finished.
#include <fmt/format.h>

#include "base/log.h"
#include "meta/ops/admin_rows.h"
#include "meta/ops/containers.h"
#include "meta/ops/purge.h"
#include "meta/ops/uploads.h"
#include "tiering/collect.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint32_t kEntriesPerPass = 100;
constexpr int kBatchesPerEntry = 20;          // of a thousand rows; a larger container takes several passes
constexpr std::uint32_t kFailedPerPass = 20;  // something is wrong with all of them
constexpr Duration kTryDamagedAgain = std::chrono::minutes(1);
constexpr std::uint32_t kPage = 1'000;

Task<bool> expire_in(Collecting& collecting, meta::ContainerKey container, Stamp idle_since) {
  const meta::Cell cell = collecting.services.cell;
  bool changed = false;
  std::string after;
  while (true) {
    CO_TRY_ASSIGN(const auto page, meta::list_uploads(cell, container, after, kPage));
    for (const meta::UploadEntry& entry : page) {
      after = entry.name;
      if (entry.head.touched > idle_since) continue;
      const auto gone = co_await meta::expire_upload(cell, container, entry.name, entry.head.id, idle_since);
      if (!gone.ok() && gone.error().code != Code::kBusy && gone.error().code != Code::kNotFound) {
        co_return gone.error();
      }
      changed = changed || (gone.ok() && *gone);
    }
    if (page.empty() || collecting.stopping) co_return changed;  // long names make short pages
  }
}

Task<bool> expire_of_account(Collecting& collecting, TenantId tenant, std::string account, Stamp idle_since) {
  bool changed = false;
  meta::ContainerQuery query;
  query.tenant = tenant;
  query.account = std::move(account);
  while (true) {
    CO_TRY_ASSIGN(const meta::ContainerPage page, meta::list_containers(collecting.services.cell, query));
    for (const meta::Container& container : page.containers) {
      CO_TRY_ASSIGN(const bool expired, expire_in(collecting, meta::key_of(container), idle_since));
      changed = changed || expired;
    }
    if (!page.next || collecting.stopping) co_return changed;
    query.start_after = *page.next;
  }
}

/// Some batches, from where the last pass got to; gives how far it got itself.
Task<std::string> purge(Collecting& collecting, meta::PurgeEntry entry) {
  meta::BatchEnd batch{.next = collecting.purged_to[entry.queued]};
  for (int n = 0; n < kBatchesPerEntry && batch.progress == meta::Progress::kMore && !collecting.stopping; ++n) {
    CO_TRY_ASSIGN(batch, meta::purge_batch(collecting.services.cell, entry, batch.next));
  }
  co_return std::move(batch.next);
}

}  // namespace

Task<bool> collect_purges(Collecting& collecting) {
  const meta::Cell cell = collecting.services.cell;
  const SteadyTime now = cell.clock.steady();
  auto& put_off = collecting.purges_put_off;
  std::erase_if(put_off, [now](const auto& entry) { return entry.second <= now; });
  const auto limit = kEntriesPerPass + static_cast<std::uint32_t>(put_off.size());
  CO_TRY_ASSIGN(const auto entries, meta::list_purges(cell, limit));
  std::map<Stamp, std::string> purged_to;  // without what is no longer there
  for (const meta::PurgeEntry& entry : entries) {
    if (auto node = collecting.purged_to.extract(entry.queued)) purged_to.insert(std::move(node));
  }
  collecting.purged_to.swap(purged_to);
  Result<void> result;  // the first failure; others are in the log
  std::uint32_t failed = 0, done = 0;
  for (const meta::PurgeEntry& entry : entries) {
    if (put_off.contains(entry.queued)) continue;
    auto purged = co_await purge(collecting, entry);
    if (purged.ok()) {
      collecting.purged_to[entry.queued] = *std::move(purged);
      ++done;
      continue;
    }
    if (purged.error().code == Code::kCancelled) co_return purged.error();
    const Code code = purged.error().code;
    if (code == Code::kCorrupt || code == Code::kUnsupported) put_off[entry.queued] = now + kTryDamagedAgain;
    const Error error{purged.error().code, fmt::format("purge of container {}, upload {}: {}", entry.container.value,
                                                       entry.upload.value, purged.error().message)};
    if (failed++ > 0) log(LogLevel::kWarn, "tiering", "{}", to_string(error));
    if (result.ok()) result = error;
    if (failed == kFailedPerPass) break;
  }
  if (done > 0) collecting.progressed = true;
  CO_CHECK(result);
  co_return done > 0;
}

Task<bool> collect_uploads(Collecting& collecting) {
  const meta::Cell cell = collecting.services.cell;
  const SteadyTime now = cell.clock.steady();
  if (collecting.uploads_looked_at && now - *collecting.uploads_looked_at < collecting.options.uploads_every) {
    co_return false;
  }
  collecting.uploads_looked_at = now;
  CO_TRY_ASSIGN(const Stamp stamp, cell.stamper.next());
  const Stamp idle_since = before(stamp, Duration(meta::kUploadIdleMicrosMax));
  CO_TRY_ASSIGN(const auto accounts, meta::list_accounts(cell, {}));
  bool changed = false;
  for (const meta::Account& account : accounts) {
    CO_TRY_ASSIGN(const bool expired, expire_of_account(collecting, account.tenant, account.name, idle_since));
    changed = changed || expired;
  }
  co_return changed;
}

}  // namespace tombolo::tiering
