// Making a SAS, for the admin API and `tombolo sas`.
#pragma once

#include <optional>
#include <string>

#include "auth/key_ring.h"
#include "auth/permissions.h"
#include "base/clock.h"
#include "base/result.h"

namespace tombolo::auth {

/// The "sv" of every SAS made here: what AzCopy 10.32 sends, known to every client in use.
inline constexpr std::string_view kMadeSasVersion = "2025-07-05";

enum class SasProtocol : std::uint8_t { kHttpsAndHttp, kHttpsOnly };

struct SasTerms {
  Permissions permissions = {};
  WallTime expiry = {};                // cut to whole seconds
  std::optional<WallTime> start = {};  // absent: valid at once
  std::string ip = {};                 // "a.b.c.d" or "a.b.c.d-e.f.g.h"; empty: any address
  SasProtocol protocol = SasProtocol::kHttpsAndHttp;
};

struct AccountSasRequest {
  SasTerms terms = {};
  Services services{Service::kBlob};
  ResourceTypes types{ResourceType::kService, ResourceType::kContainer, ResourceType::kObject};
};

struct ServiceSasRequest {
  SasTerms terms = {};
  std::string container = {};
  std::string blob = {};  // empty: the whole container
};

/// The query string without "?", percent-encoded, signed with key1: a secret. kInvalid: no permission, or one that this
/// kind of SAS has no letter for; a bad address range; expiry not after start; no container; an account without key1.
Result<std::string> make_account_sas(const AccountKeys& keys, const AccountSasRequest& request);
Result<std::string> make_service_sas(const AccountKeys& keys, const ServiceSasRequest& request);

}  // namespace tombolo::auth
