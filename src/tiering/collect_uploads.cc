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

constexpr std::uint32_t kEntriesPerPass = 100;  // tried
constexpr int kBatchesPerEntry = 20;            // of a thousand rows; a larger container takes several passes
constexpr std::uint32_t kFailedPerPass = 20;    // not over damage: something is wrong with all of them
constexpr std::uint32_t kPage = 1'000;

Task<void> expire_in(Collecting& collecting, Pass& pass, meta::ContainerKey container, Stamp idle_since) {
  const meta::Cell cell = collecting.services.cell;
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
      pass.changed = pass.changed || (gone.ok() && *gone);
    }
    if (page.empty() || collecting.stopping) co_return Result<void>{};  // long names make short pages
  }
}

Task<void> expire_of_account(Collecting& collecting, Pass& pass, const meta::Account& account, Stamp idle_since) {
  meta::ContainerQuery query;
  query.tenant = account.tenant;
  query.account = account.name;
  while (true) {
    CO_TRY_ASSIGN(const meta::ContainerPage page, meta::list_containers(collecting.services.cell, query));
    for (const meta::Container& container : page.containers) {
      CO_TRY(expire_in(collecting, pass, meta::key_of(container), idle_since));
    }
    if (!page.next || collecting.stopping) co_return Result<void>{};
    query.start_after = *page.next;
  }
}

/// Some batches, from where the last pass got to; gives how far it got itself, nothing when it has got to the end.
Task<std::string> purge(Collecting& collecting, meta::PurgeEntry entry, std::string from) {
  meta::BatchEnd batch{.next = std::move(from)};
  for (int n = 0; n < kBatchesPerEntry && batch.progress == meta::Progress::kMore && !collecting.stopping; ++n) {
    CO_TRY_ASSIGN(batch, meta::purge_batch(collecting.services.cell, entry, batch.next));
  }
  co_return batch.progress == meta::Progress::kMore ? std::move(batch.next) : std::string();
}

/// What purges of one pass have come to.
struct Purges {
  std::uint32_t tried = 0, failed = 0;          // failed: for reasons that may be all entries'
  std::map<Stamp, std::string> purged_to = {};  // of those that are not through
};

Task<void> take(Collecting& collecting, Pass& pass, Purges& purges, meta::PurgeEntry entry) {
  ++purges.tried;
  std::string from;
  if (const auto known = collecting.purged_to.find(entry.queued); known != collecting.purged_to.end()) {
    from = known->second;
  }
  auto purged = co_await purge(collecting, entry, std::move(from));
  if (purged.ok()) {
    pass.changed = true;
    if (!purged->empty()) purges.purged_to[entry.queued] = *std::move(purged);
    co_return Result<void>{};
  }
  if (purged.error().code == Code::kCancelled) co_return purged.error();
  if (is_damage(purged.error())) {
    collecting.purges_put_off.failed(entry.queued, collecting.services.cell.clock.steady());
  } else {
    ++purges.failed;
  }
  const Error error{purged.error().code, fmt::format("purge of container {}, upload {}: {}", entry.container.value,
                                                     entry.upload.value, purged.error().message)};
  if (pass.failed) log(LogLevel::kWarn, "tiering", "{}", to_string(error));
  pass.note(error);
  co_return Result<void>{};
}

/// From the queue's head on, over what is put off, however much that is.
Task<void> take_queue(Collecting& collecting, Pass& pass, Purges& purges) {
  const meta::Cell cell = collecting.services.cell;
  std::string from;
  do {
    CO_TRY_ASSIGN(auto page, meta::list_purges(cell, kPage, std::move(from)));
    for (const std::string& broken : page.broken) collecting.tell("purges: " + broken);
    for (const meta::PurgeEntry& entry : page.rows) {
      if (collecting.purges_put_off.holds(entry.queued, cell.clock.steady())) continue;
      if (collecting.stopping || purges.failed == kFailedPerPass) co_return Result<void>{};
      if (purges.tried == kEntriesPerPass) {
        pass.changed = true;  // more to do at once
        co_return Result<void>{};
      }
      CO_TRY(take(collecting, pass, purges, entry));
    }
    from = std::move(page.next);
  } while (!from.empty());
  co_return Result<void>{};
}

}  // namespace

Task<void> collect_purges(Collecting& collecting, Pass& pass) {
  Purges purges;
  CO_TRY(take_queue(collecting, pass, purges));
  collecting.purged_to.swap(purges.purged_to);
  co_return Result<void>{};
}

Task<void> collect_uploads(Collecting& collecting, Pass& pass) {
  const meta::Cell cell = collecting.services.cell;
  const SteadyTime now = cell.clock.steady();
  if (collecting.uploads_looked_at && now - *collecting.uploads_looked_at < collecting.options.uploads_every) {
    co_return Result<void>{};
  }
  collecting.uploads_looked_at = now;
  CO_TRY_ASSIGN(const Stamp stamp, cell.stamper.next());
  const Stamp idle_since = before(stamp, Duration(meta::kUploadIdleMicrosMax));
  CO_TRY_ASSIGN(const auto accounts, meta::list_accounts(cell, {}));
  for (const meta::Account& account : accounts) {
    CO_TRY(expire_of_account(collecting, pass, account, idle_since));
  }
  co_return Result<void>{};
}

}  // namespace tombolo::tiering
