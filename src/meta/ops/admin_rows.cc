#include "meta/ops/admin_rows.h"

#include "meta/ops/parts.h"

namespace tombolo::meta {
namespace {

Error exists(std::string_view what) {
  return {Code::kAlreadyExists, std::string(what) + " exists already"};
}
Error missing(std::string_view what) {
  return {Code::kNotFound, "there is no such " + std::string(what)};
}

Result<void> check_put(std::string_view what, bool there, PutMode mode) {
  if (mode == PutMode::kCreate && there) return exists(what);
  if (mode == PutMode::kUpdate && !there) return missing(what);
  return {};
}

Task<void> create_tenant_in(kv::Transaction& txn, const Tenant& tenant) {
  CO_TRY_ASSIGN(const auto there, txn.get(keys::tenant(tenant.id)));
  if (there) co_return exists("the tenant");
  txn.put(keys::tenant(tenant.id), encode(tenant));
  co_return Result<void>{};
}

Task<Account> put_account_in(Cell cell, kv::Transaction& txn, Account account, PutMode mode) {
  CO_TRY_ASSIGN(const auto owner, txn.get(keys::tenant(account.tenant)));
  if (!owner) co_return Error{Code::kInvalid, "the account's tenant does not exist"};
  CO_TRY_ASSIGN(const auto there, txn.get(keys::account(account.name)));
  CO_CHECK(check_put("account", there.has_value(), mode));
  CO_TRY_ASSIGN(account.changed, cell.stamper.next());
  account.created = account.changed;
  if (there) {
    CO_CHECK_ASSIGN(const Account before, decode_account(account.name, *there));
    account.created = before.created;
  }
  txn.put(keys::account(account.name), encode(account));
  co_return account;
}

Task<RemoteConfig> put_remote_in(Cell cell, kv::Transaction& txn, RemoteConfig remote, PutMode mode) {
  CO_TRY_ASSIGN(const auto there, txn.get(keys::remote(remote.name)));
  CO_CHECK(check_put("remote", there.has_value(), mode));
  CO_TRY_ASSIGN(remote.changed, cell.stamper.next());
  remote.created = remote.changed;
  if (there) {
    CO_CHECK_ASSIGN(const RemoteConfig before, decode_remote(remote.name, *there));
    remote.created = before.created;
  }
  txn.put(keys::remote(remote.name), encode(remote));
  co_return remote;
}

/// Every row of a global table, page by page.
Task<std::vector<kv::Row>> read_table(Cell cell, kv::Table table) {
  const auto snapshot = cell.engine.snapshot();
  const std::string prefix = kv::table_prefix(table);
  std::string begin = prefix;
  std::vector<kv::Row> rows;
  while (true) {
    CO_TRY_ASSIGN(auto page, read_prefix(*snapshot, prefix, begin, 1'000));
    for (auto& row : page.rows) rows.push_back(std::move(row));
    if (!page.more) co_return rows;
    begin = rows.back().key + '\0';
  }
}

}  // namespace

Task<Tenant> create_tenant(Cell cell, Tenant tenant) {
  if (!tenant.id) {
    CO_TRY_ASSIGN(tenant.id, cell.ids.next_id<TenantId>());
  }
  CO_TRY_ASSIGN(tenant.created, cell.stamper.next());
  auto body = [&tenant](kv::Transaction& txn) { return create_tenant_in(txn, tenant); };
  CO_TRY(transact(cell, body));
  co_return tenant;
}

Task<std::optional<Tenant>> get_tenant(Cell cell, TenantId id) {
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(const auto value, snapshot->get(keys::tenant(id)));
  if (!value) co_return std::optional<Tenant>{};
  CO_CHECK_ASSIGN(Tenant tenant, decode_tenant(id, *value));
  co_return std::optional<Tenant>(std::move(tenant));
}

Task<std::vector<Tenant>> list_tenants(Cell cell) {
  CO_TRY_ASSIGN(const auto rows, read_table(cell, kv::Table::kTenants));
  std::vector<Tenant> out;
  for (const kv::Row& row : rows) {
    CO_CHECK_ASSIGN(const TenantId id, keys::id_of_tenant(row.key));
    CO_CHECK_ASSIGN(Tenant tenant, decode_tenant(id, row.value));
    out.push_back(std::move(tenant));
  }
  co_return out;
}

Task<Account> put_account(Cell cell, Account account, PutMode mode) {
  CO_CHECK(keys::check_name(account.name));
  auto body = [&](kv::Transaction& txn) { return put_account_in(cell, txn, account, mode); };
  co_return co_await transact(cell, body);
}

Task<std::optional<Account>> get_account(Cell cell, std::string name) {
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(const auto value, snapshot->get(keys::account(name)));
  if (!value) co_return std::optional<Account>{};
  CO_CHECK_ASSIGN(Account account, decode_account(std::move(name), *value));
  co_return std::optional<Account>(std::move(account));
}

Task<std::vector<Account>> list_accounts(Cell cell, std::optional<TenantId> tenant) {
  CO_TRY_ASSIGN(const auto rows, read_table(cell, kv::Table::kAccounts));
  std::vector<Account> out;
  for (const kv::Row& row : rows) {
    CO_CHECK_ASSIGN(std::string name, keys::name_of_global(row.key));
    CO_CHECK_ASSIGN(Account account, decode_account(std::move(name), row.value));
    if (!tenant || account.tenant == *tenant) out.push_back(std::move(account));
  }
  co_return out;
}

Task<RemoteConfig> put_remote(Cell cell, RemoteConfig remote, PutMode mode) {
  CO_CHECK(keys::check_name(remote.name));
  auto body = [&](kv::Transaction& txn) { return put_remote_in(cell, txn, remote, mode); };
  co_return co_await transact(cell, body);
}

Task<std::optional<RemoteConfig>> get_remote(Cell cell, std::string name) {
  const auto snapshot = cell.engine.snapshot();
  CO_TRY_ASSIGN(const auto value, snapshot->get(keys::remote(name)));
  if (!value) co_return std::optional<RemoteConfig>{};
  CO_CHECK_ASSIGN(RemoteConfig remote, decode_remote(std::move(name), *value));
  co_return std::optional<RemoteConfig>(std::move(remote));
}

Task<std::vector<RemoteConfig>> list_remotes(Cell cell) {
  CO_TRY_ASSIGN(const auto rows, read_table(cell, kv::Table::kRemotes));
  std::vector<RemoteConfig> out;
  for (const kv::Row& row : rows) {
    CO_CHECK_ASSIGN(std::string name, keys::name_of_global(row.key));
    CO_CHECK_ASSIGN(RemoteConfig remote, decode_remote(std::move(name), row.value));
    out.push_back(std::move(remote));
  }
  co_return out;
}

}  // namespace tombolo::meta
