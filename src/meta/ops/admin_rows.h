// Rows that an administrator makes: tenants, accounts, remotes. Few, small, rarely changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meta/cell.h"
#include "meta/model/account.h"

namespace tombolo::meta {

enum class PutMode { kCreate, kUpdate };  // kCreate: kAlreadyExists when there; kUpdate: kNotFound when absent

/// Draws the id where `tenant.id` is 0. kAlreadyExists. Gives the row as written.
Task<Tenant> create_tenant(Cell cell, Tenant tenant);
Task<std::optional<Tenant>> get_tenant(Cell cell, TenantId id);
Task<std::vector<Tenant>> list_tenants(Cell cell);

/// kInvalid when the tenant does not exist or the name is empty. `created` and `changed` are set here.
Task<Account> put_account(Cell cell, Account account, PutMode mode);
Task<std::optional<Account>> get_account(Cell cell, std::string name);
/// All of them, in name order; of one tenant when given.
Task<std::vector<Account>> list_accounts(Cell cell, std::optional<TenantId> tenant);

/// kInvalid when the name is empty.
Task<RemoteConfig> put_remote(Cell cell, RemoteConfig remote, PutMode mode);
Task<std::optional<RemoteConfig>> get_remote(Cell cell, std::string name);
Task<std::vector<RemoteConfig>> list_remotes(Cell cell);

}  // namespace tombolo::meta
