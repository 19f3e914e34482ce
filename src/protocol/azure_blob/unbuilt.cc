#include "protocol/azure_blob/unbuilt.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/header_text.h"

namespace tombolo::azure_blob {
namespace {

enum class Match { kWhole, kPrefix };

struct HeaderRow {
  std::string_view name;
  Match match;
  std::string_view code;
  std::string_view feature;
};

constexpr std::string_view kStructured = "x-ms-structured-";
constexpr std::string_view kEncryption = "x-ms-encryption-";
constexpr std::string_view kTier = "x-ms-access-tier";

// Source: Microsoft Learn, "Specifying conditional headers for Blob service operations", which lists both kinds.
constexpr std::string_view kConditions[] = {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"};
constexpr std::string_view kConditional[] = {
    "SetContainerMetadata", "DeleteContainer", "PutBlob",           "PutBlockList",    "GetBlob",
    "GetBlobProperties",    "GetBlobMetadata", "SetBlobProperties", "SetBlobMetadata", "DeleteBlob"};

bool takes_conditions(std::string_view operation) {
  return std::find(std::begin(kConditional), std::end(kConditional), operation) != std::end(kConditional);
}

Result<void> refuse_conditions(const http::Headers& headers) {
  for (const std::string_view name : kConditions) {
    if (trim(headers.get(name).value_or("")).empty()) continue;
    return refuse(codes::kConditionHeadersNotSupported, fmt::format("This operation has no {}.", name));
  }
  return {};
}

bool takes_structured(std::string_view operation) {
  return operation == "GetBlob" || operation == "PutBlob" || operation == "PutBlock";
}

// The tier that every blob is in, and is told to be in: s3proxy and rclone send it back.
bool is_the_one_tier(std::string_view operation, std::string_view tier) {
  return (operation == "PutBlob" || operation == "PutBlockList") && equal_ignoring_case(tier, "Hot");
}

// A new refusal is one line. Names begin with kOwn.
constexpr HeaderRow kHeaders[] = {
    {kEncryption, Match::kPrefix, codes::kUnsupportedHeader, "customer keys and encryption scopes"},
    {"x-ms-default-encryption-scope", Match::kWhole, codes::kUnsupportedHeader, "encryption scopes"},
    {"x-ms-deny-encryption-scope-override", Match::kWhole, codes::kUnsupportedHeader, "encryption scopes"},
    {"x-ms-tags", Match::kWhole, codes::kUnsupportedHeader, "tags"},
    {"x-ms-if-tags", Match::kWhole, codes::kUnsupportedHeader, "tags"},
    {kTier, Match::kPrefix, codes::kUnsupportedHeader, "access tiers"},
    {"x-ms-rehydrate-priority", Match::kWhole, codes::kUnsupportedHeader, "access tiers"},
    {"x-ms-copy-source", Match::kPrefix, codes::kUnsupportedHeader, "copies from a URL"},
    {"x-ms-source-", Match::kPrefix, codes::kUnsupportedHeader, "copies from a URL"},
    {"x-ms-requires-sync", Match::kWhole, codes::kUnsupportedHeader, "copies from a URL"},
    {"x-ms-immutability-policy-", Match::kPrefix, codes::kUnsupportedHeader, "immutability policies"},
    {"x-ms-legal-hold", Match::kWhole, codes::kUnsupportedHeader, "legal holds"},
    {kStructured, Match::kPrefix, codes::kUnsupportedHeader, "structured bodies"},
    {"x-ms-expiry-", Match::kPrefix, codes::kUnsupportedHeader, "expiry"},
    {"x-ms-blob-public-access", Match::kWhole, codes::kPublicAccessNotPermitted, "public access"},
    {"x-ms-blob-sequence-number", Match::kWhole, codes::kInvalidBlobType, "page blobs"},
    {"x-ms-sequence-number-action", Match::kWhole, codes::kInvalidBlobType, "page blobs"},
    {"x-ms-if-sequence-number-", Match::kPrefix, codes::kInvalidBlobType, "page blobs"},
    {"x-ms-blob-condition-", Match::kPrefix, codes::kInvalidBlobType, "append blobs"},
};

struct ParamRow {
  std::string_view name;
  std::string_view feature;
};

constexpr ParamRow kParams[] = {
    {"snapshot", "snapshots"},
    {"prevsnapshot", "snapshots"},
    {"versionid", "versions"},
    {"deletetype", "soft delete"},
    {"endbefore", "listing up to a name"},
    {"showonly", "filtered listings"},
    // The Data Lake Storage API's, which clients send to the same port when a host tells no service. Alone among the
    // parameters that this API does not know they are not ignored: DELETE ?recursive=true would delete one blob.
    {"action", "Data Lake operations"},
    {"continuation", "Data Lake operations"},
    {"paginated", "Data Lake operations"},
    {"recursive", "Data Lake operations"},
    {"resource", "Data Lake operations"},
};

// What the names of all rows begin with, and of x-ms-lease-id.
constexpr std::string_view kOwn = "x-ms-";

// Those that every client sends, of which no row speaks.
constexpr std::string_view kEverywhere[] = {"x-ms-date", "x-ms-version", "x-ms-client-request-id"};

bool may_match(std::string_view name) {
  if (name.size() < kOwn.size() || !equal_ignoring_case(name.substr(0, kOwn.size()), kOwn)) return false;
  return std::none_of(std::begin(kEverywhere), std::end(kEverywhere),
                      [name](std::string_view common) { return equal_ignoring_case(common, name); });
}

// The algorithm of a key; without the key, which is refused, it asks for nothing. SDKs send it with every request
// (azure-sdk-for-js #16673).
bool is_bare_algorithm(http::Headers::Field field) {
  return equal_ignoring_case(field.name, "x-ms-encryption-algorithm") &&
         equal_ignoring_case(trim(field.value), "AES256");
}

// Headers of a row that mean nothing where they are.
bool is_harmless(const HeaderRow& row, std::string_view operation, http::Headers::Field field) {
  if (row.name == kStructured) return takes_structured(operation);
  if (row.name == kEncryption) return is_bare_algorithm(field);
  if (row.name == kTier) return is_the_one_tier(operation, trim(field.value));
  return false;
}

bool matches(const HeaderRow& row, std::string_view name) {
  if (row.match == Match::kPrefix) name = name.substr(0, row.name.size());
  return equal_ignoring_case(name, row.name);
}

}  // namespace

Result<void> refuse_unbuilt(Level level, std::string_view operation, const http::Headers& headers, const Query& query,
                            const auth::VerifiedRequest& who) {
  for (const http::Headers::Field field : headers) {
    if (!may_match(field.name) || trim(field.value).empty()) continue;
    if (equal_ignoring_case(field.name, "x-ms-lease-id")) {
      // No lease exists, so no id can match: Azure's own answer.
      return refuse(level == Level::kBlob ? codes::kLeaseNotPresentWithBlobOperation
                                          : codes::kLeaseNotPresentWithContainerOperation,
                    "Leases are not built yet.");
    }
    for (const HeaderRow& row : kHeaders) {
      if (!matches(row, field.name)) continue;
      if (is_harmless(row, operation, field)) continue;
      if (row.name == "x-ms-tags" && !who.may(auth::Permission::kTags)) {
        return refuse(codes::kAuthorizationPermissionMismatch, "Tags need the permission t.");
      }
      return refuse(row.code, fmt::format("The header {} is refused: {} are not built yet.", row.name, row.feature));
    }
  }
  if (!takes_conditions(operation)) {
    TRY(refuse_conditions(headers));
  }
  for (const ParamRow& row : kParams) {
    if (query.value(row.name).empty()) continue;
    return refuse(codes::kUnsupportedQueryParameter,
                  fmt::format("The parameter {} is refused: {} not built yet.", row.name, row.feature));
  }
  return {};
}

}  // namespace tombolo::azure_blob
