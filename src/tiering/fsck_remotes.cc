// Objects in remotes that tombolo wrote and no row names: they cost money and stand in the way of later offloads.
#include <fmt/format.h>

#include <algorithm>

#include "meta/model/remote_place.h"
#include "meta/ops/admin_rows.h"
#include "meta/ops/tier.h"
#include "meta/ops/walk_rows.h"
#include "remote/remote.h"
#include "tiering/fsck_check.h"
#include "tiering/native_key.h"

namespace tombolo::tiering {
namespace {

/// Who may have a row for a key of a remote.
struct Owners {
  std::vector<TenantId> tenants;
  std::vector<std::string> remotes;  // it, and others that lead to the same place
  bool azure = false;
};

Task<Owners> owners_in(meta::Cell cell, std::string name) {
  Owners owners;
  CO_TRY_ASSIGN(owners.tenants, meta::list_data_tenants(cell));
  CO_TRY_ASSIGN(const auto config, meta::get_remote(cell, name));
  CO_TRY_ASSIGN(const auto all, meta::list_remotes(cell));
  for (const meta::RemoteConfig& other : all) {
    if (config && other.name != name && meta::same_place(other, *config)) owners.remotes.push_back(other.name);
  }
  owners.azure = config && config->kind == "azure";
  owners.remotes.push_back(std::move(name));
  co_return owners;
}

Task<bool> is_named(meta::Cell cell, const Owners& owners, std::string key) {
  for (const TenantId tenant : owners.tenants) {
    for (const std::string& remote : owners.remotes) {
      CO_TRY_ASSIGN(const auto row, meta::get_native_key(cell, tenant, remote, key));
      if (row) co_return true;
    }
  }
  co_return false;
}

/// Rows whose keys end segments in dots: Azure keeps their objects under other names.
Task<void> find_dotted(Checking& checking, const Owners& owners) {
  CO_TRY_ASSIGN(const auto turn, checking.finding_dotted.lock());
  if (checking.dotted) co_return Result<void>{};
  std::set<std::pair<std::string, std::string>> dotted;
  for (const TenantId tenant : owners.tenants) {
    std::string from;
    do {
      CO_TRY_ASSIGN(auto page, meta::walk_native_keys(checking.services.cell, tenant, std::move(from)));
      for (meta::NativeKey& native : page.rows) {
        std::string kept = meta::without_end_dots(native.key);
        if (!kept.empty()) dotted.emplace(std::move(native.remote), std::move(kept));
      }
      from = std::move(page.next);
    } while (!from.empty());
  }
  checking.dotted = std::move(dotted);
  co_return Result<void>{};
}

Task<bool> is_named_with_dots(Checking& checking, const Owners& owners, std::string key) {
  if (!owners.azure) co_return false;
  CO_TRY(find_dotted(checking, owners));
  co_return std::any_of(owners.remotes.begin(), owners.remotes.end(),
                        [&](const std::string& remote) { return checking.dotted->contains({remote, key}); });
}

}  // namespace

Task<UnnamedObjects> find_unnamed_objects(Checking& checking, std::string name, std::string marker) {
  const meta::Cell cell = checking.services.cell;
  UnnamedObjects out;
  const auto remote = checking.services.remotes.find(name);
  if (!remote.ok()) {  // whatever needs it reports it
    out.away = true;
    co_return out;
  }
  CO_TRY_ASSIGN(const auto config, meta::get_remote(cell, name));
  remote::ListRequest request;
  request.prefix = config ? config->prefix : std::string();
  request.marker = std::move(marker);
  const std::string below =
      request.prefix.empty() ? std::string("what is") : fmt::format("what is below \"{}\"", request.prefix);
  auto page = co_await (*remote)->list(std::move(request));
  if (!page.ok()) {
    if (page.error().code == Code::kCancelled) co_return page.error();
    out.failed = Finding{"remote-unreachable",
                         fmt::format("{} in remote \"{}\" cannot be listed: {}", below, name, page.error().message),
                         "check it again once the remote can be reached"};
    co_return out;
  }
  // The rows after the list: an object is written behind its row, and its row goes behind it.
  CO_TRY_ASSIGN(const Owners owners, owners_in(cell, name));
  for (remote::RemoteObject& object : page->objects) {
    CO_TRY_ASSIGN(const bool named, is_named(cell, owners, object.key));
    if (!named) out.keys.push_back(std::move(object.key));
  }
  out.next = std::move(page->next_marker);
  co_return out;
}

Task<Findings> check_unnamed_object(Checking& checking, std::string name, std::string key) {
  const meta::Cell cell = checking.services.cell;
  Findings out;
  CO_TRY_ASSIGN(const Owners owners, owners_in(cell, name));
  CO_TRY_ASSIGN(const bool named, is_named(cell, owners, key));
  const auto remote = checking.services.remotes.find(name);
  if (named || !remote.ok()) co_return out;
  const std::string what = fmt::format("\"{}\" in remote \"{}\"", key, name);
  const auto head = co_await (*remote)->head(key);
  if (!head.ok() && head.error().code == Code::kNotFound) co_return out;
  if (!head.ok()) {
    out.push_back(
        {"remote-unreachable", what + ": " + head.error().message, "check it again once the remote can be reached"});
    co_return out;
  }
  if (nonce_of(head->headers).empty()) {
    checking.count(&FsckReport::foreign_objects);
    co_return out;
  }
  CO_TRY_ASSIGN(const bool dotted, is_named_with_dots(checking, owners, key));
  if (dotted) co_return out;
  out.push_back({"remote-without-row",
                 fmt::format("{} ({} bytes) was written by tombolo, and no row names it", what, head->object.size),
                 "unless another tombolo offloads there, nothing needs it: delete it by hand"});
  co_return out;
}

}  // namespace tombolo::tiering
