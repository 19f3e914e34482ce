// Tenants, accounts and remotes: the few rows that an administrator makes; and what an account's owner sets for all of
// it.
#pragma once

#include <string>

#include "base/ids.h"

namespace tombolo::meta {

struct Tenant {
  TenantId id;
  std::string name;
  Stamp created;
};

/// Row A <name>. Account names are unique in the cell.
struct Account {
  std::string name;
  TenantId tenant;
  Stamp created;
  Stamp changed;
  std::string sealed_keys;  // opaque here: sealed by auth under the root key
};

/// Row P <account>. What a dialect keeps for an account as a whole.
struct ServiceProperties {
  Stamp changed;
  std::string document;  // opaque here: the dialect's own words
};

/// Row R <name>. Remote names are unique in the cell.
struct RemoteConfig {
  std::string name;
  TenantId tenant;
  std::string kind;      // "azure", "file", …: which driver
  std::string endpoint;  // URL of the service, or the directory
  std::string bucket;    // container or bucket; empty where the kind has none
  std::string prefix;    // of every native key; empty or ends in '/'
  Stamp created;
  Stamp changed;
  std::string sealed_secret;  // opaque here
  std::string options;        // opaque here: settings of the kind
};

}  // namespace tombolo::meta
