// Shared access signatures: rights in a query string, signed with an account key.
// Source: Microsoft Learn "Create an account SAS" and "Create a service SAS"; the layouts of the string to sign are
// checked against signatures of azure-storage-blob 1.5.0 (sv 2018-03-28), 12.9.0 (2020-10-02), 12.31.1 (2026-10-06).
// The fields that versions of 2020-02-10, 2025 and 2026 add (saoid, suoid, scid, skdutid, sduoid, srh, srq) belong to
// user delegation SAS alone; "sdd" to directory SAS. Neither is built: both are refused with AuthenticationFailed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/ip_range.h"
#include "auth/permissions.h"
#include "auth/request.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace tombolo::auth {

inline constexpr std::string_view kOldestSasVersion = "2015-04-05";

/// The parameters as they came, percent-decoded; absent ones are empty. They are signed in exactly this spelling.
struct SasFields {
  std::string_view sv, sp, st, se, sip, spr, ses, sig;    // both kinds
  std::string_view ss, srt;                               // account SAS
  std::string_view sr, si, rscc, rscd, rsce, rscl, rsct;  // service SAS
  std::string_view snapshot, versionid;                   // of the request; signed where sr is bs or bv
};

/// What a service SAS is signed for, decoded. `blob` is ignored where sr is "c".
struct SasTarget {
  std::string_view account;
  std::string_view container = {};
  std::string_view blob = {};
};

/// A well-formed SAS whose signature, times, address and protocol are not checked yet. Views into the request.
struct Sas {
  SasKind kind = SasKind::kAccount;
  SasFields fields;
  Bytes signature;
  Permissions permissions;
  Services services;    // account SAS
  ResourceTypes types;  // account SAS
  std::optional<WallTime> start;
  WallTime expiry;
  std::optional<IpRange> ip;  // absent: any address
  bool https_only = false;

  /// True when a service SAS names one blob (or its snapshot, or its version), not a container.
  bool for_blob() const { return kind == SasKind::kService && fields.sr != "c"; }
};

/// True when the query carries a signature ("sig").
bool has_sas(const SignedRequest& request);

/// Requires has_sas(). kInvalid/InvalidQueryParameterValue: a SAS parameter given twice, a response header with control
/// characters. Otherwise AuthenticationFailed: a field that is missing, unknown or malformed; a version before
/// 2015-04-05; a stored access policy ("si"), a user delegation or a directory SAS, which are not built.
Result<Sas> parse_sas(const SignedRequest& request);

/// The string to sign, by kind and version ("sv"). Requires a well-formed fields.sv.
std::string sas_string_to_sign(SasKind kind, const SasFields& fields, SasTarget target);

}  // namespace tombolo::auth
