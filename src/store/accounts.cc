#include "store/accounts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/wire.h"
#include "meta/ops/admin_rows.h"

namespace tombolo::store {
namespace {

constexpr std::size_t kKeyBytes = 64;  // as Azure's

std::string purpose(const std::string& account) {
  return "account-keys:" + account;
}

std::string pack(const auth::AccountKeys& keys) {
  WireWriter w;
  w.text(as_text(keys.key1));
  w.text(as_text(keys.key2));
  return std::move(w).take();
}

Result<void> check_name(const std::string& name) {
  const auto legal = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.size() < 3 || name.size() > 24 || !std::all_of(name.begin(), name.end(), legal)) {
    return Error{Code::kInvalid,
                 fmt::format("\"{}\" cannot name an account: use 3 to 24 lower-case letters and digits", name)};
  }
  return {};
}

}  // namespace

Task<auth::AccountKeys> Accounts::store_new(std::string name, Bytes key1, Bytes key2) {
  CO_CHECK(check_name(name));
  CO_TRY_ASSIGN(const auto present, meta::get_account(cell_, name));
  if (present)
    co_return Error{
        Code::kAlreadyExists,
        fmt::format("the account \"{}\" exists: take another name, or show its keys with `tombolo account keys {}`",
                    name, name)};
  meta::Tenant tenant;
  tenant.name = name;
  CO_TRY_ASSIGN(tenant, meta::create_tenant(cell_, std::move(tenant)));
  auth::AccountKeys keys;
  keys.tenant = tenant.id;
  keys.account = name;
  keys.key1 = std::move(key1);
  keys.key2 = std::move(key2);
  meta::Account account;
  account.name = name;
  account.tenant = tenant.id;
  account.sealed_keys = sealer_.seal(purpose(name), pack(keys));
  CO_TRY(meta::put_account(cell_, std::move(account), meta::PutMode::kCreate));
  remember(name, std::make_shared<const auth::PreparedKeys>(keys));
  co_return keys;
}

Task<auth::AccountKeys> Accounts::create(std::string name) {
  Bytes key1(kKeyBytes), key2(kKeyBytes);
  cell_.random.fill(key1);
  cell_.random.fill(key2);
  co_return co_await store_new(std::move(name), std::move(key1), std::move(key2));
}

Task<void> Accounts::ensure(std::string name, Bytes key1) {
  CO_TRY_ASSIGN(const auto present, find(name));
  if (present) co_return Result<void>{};
  CO_TRY(store_new(std::move(name), std::move(key1), {}));
  co_return Result<void>{};
}

Result<auth::AccountKeys> Accounts::open_keys(const meta::Account& row) const {
  TRY_ASSIGN(const std::string opened, sealer_.open(purpose(row.name), row.sealed_keys));
  WireReader reader(opened);
  auth::AccountKeys keys;
  keys.tenant = row.tenant;
  keys.account = row.name;
  keys.key1 = to_bytes(reader.text());
  keys.key2 = to_bytes(reader.text());
  TRY(reader.finish("account keys"));
  return keys;
}

Task<void> Accounts::check_root_key() {
  CO_TRY_ASSIGN(const auto rows, meta::list_accounts(cell_, std::nullopt));
  std::vector<std::string_view> closed;
  for (const meta::Account& row : rows) {
    if (!open_keys(row).ok()) closed.push_back(row.name);
  }
  if (closed.empty()) co_return Result<void>{};
  if (closed.size() == rows.size()) {
    co_return Error{
        Code::kCorrupt,
        fmt::format("root.key is not the key of this cell: the keys of none of its {} accounts open under it. "
                    "Put the root.key that belongs to this data directory back from your backup, then start "
                    "it again; nothing was changed",
                    rows.size())};
  }
  for (const std::string_view name : closed) {
    log(LogLevel::kError, "store",
        "the keys of the account {} do not open under root.key: they are damaged, or were made while another root.key "
        "was here; its clients are refused, the other accounts are served",
        name);
  }
  co_return Result<void>{};
}

Task<std::shared_ptr<const auth::PreparedKeys>> Accounts::find(std::string account) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = cache_.find(account);
    if (it != cache_.end() && cell_.clock.steady() - it->second.read < kCacheFor) co_return it->second.keys;
  }
  CO_TRY_ASSIGN(const auto row, meta::get_account(cell_, account));
  if (!row) {
    remember(account, nullptr);
    co_return nullptr;
  }
  CO_CHECK_ASSIGN(auth::AccountKeys keys, open_keys(*row));
  auto prepared = std::make_shared<const auth::PreparedKeys>(std::move(keys));
  remember(account, prepared);
  co_return prepared;
}

Task<std::vector<std::string>> Accounts::list() {
  CO_TRY_ASSIGN(const auto rows, meta::list_accounts(cell_, std::nullopt));
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  co_return names;
}

void Accounts::remember(const std::string& name, std::shared_ptr<const auth::PreparedKeys> keys) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = cell_.clock.steady();
  if (!keys) {  // may have been read before the account was made
    const auto it = cache_.find(name);
    if (it != cache_.end() && it->second.keys && now - it->second.read < kCacheFor) return;
  }
  if (cache_.size() >= kCachedMax) cache_.clear();  // a flood of made-up names must not grow it
  cache_[name] = Cached{std::move(keys), now};
}

}  // namespace tombolo::store
