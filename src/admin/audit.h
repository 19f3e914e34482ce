// The audit log's records: who changed what, or somebody's rights, when, from where, and with what result.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/reply.h"
#include "base/clock.h"

namespace tombolo::admin {

/// Never holds a secret: no key, no token, no signature.
struct AuditRecord {
  std::string action;  // "account.create"
  std::string target;  // what it was done to: "accounts/mystore"
  std::string who;     // by which credential: "admin-token", "mystore shared-key", "nobody"
  std::string from;    // IP address; empty for the server itself
  std::string request_id;
  int status = 0;      // of the answer; 0: there was no request
  std::string result;  // "ok", or the error's code
  std::vector<std::pair<std::string, std::string>> details;
};

/// One line of JSON with its newline; docs/operations.md describes its members.
std::string audit_line(const AuditRecord& record, WallTime now);

/// The action of an admin request that changes something or shows a secret; nullopt for one that only looks.
std::optional<std::string> audited_action(const Call& call);

/// What the request names: its path, and the harmless members of its body.
AuditRecord describe(const Call& call, std::string action);

}  // namespace tombolo::admin
