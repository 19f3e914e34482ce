// VerifiedRequest: who is asking and what they may do. Handlers take nothing else (DESIGN, decision 14).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "auth/permissions.h"
#include "base/ids.h"

namespace tombolo::auth {

enum class Proof : std::uint8_t { kSharedKey, kAccountSas, kServiceSas };

/// Headers that the SAS puts in place of the stored ones on Get Blob; empty: not replaced. Free of control characters.
struct ResponseOverrides {
  std::string cache_control;
  std::string content_disposition;
  std::string content_encoding;
  std::string content_language;
  std::string content_type;
};

/// Made by a verifier only (and by tests).
struct VerifiedRequest {
  TenantId tenant;
  std::string account;
  Proof proof = Proof::kSharedKey;
  Permissions permissions;               // of a SAS; a shared key may do everything
  Services services;                     // of an account SAS
  ResourceTypes types;                   // of an account SAS
  std::optional<std::string> container;  // that a service SAS is bound to
  std::optional<std::string> blob;       // that a service SAS for one blob is bound to
  ResponseOverrides overrides;

  /// For rights that depend on more than the operation: Put Blob over an existing blob needs kWrite (kCreate alone may
  /// only create), x-ms-tags needs kTags.
  bool may(Permission permission) const { return proof == Proof::kSharedKey || permissions.has(permission); }
};

}  // namespace tombolo::auth
