#include "server/rights_audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tombolo::server {
namespace {

// Of what a client chooses, so that no record is long. Container names are 63 characters at most, and only refused
// requests have longer paths.
constexpr std::size_t kPathRecorded = 512;
constexpr std::size_t kClientRequestIdRecorded = 128;

constexpr std::array<std::string_view, 5> kAudited = {"CreateContainer", "DeleteContainer", "SetContainerAcl",
                                                      "SetServiceProperties", "GetUserDelegationKey"};

bool was_refused(const azure_blob::Observation& seen) {
  return seen.status < 500 || !seen.throttled.empty();
}

}  // namespace

std::optional<admin::AuditRecord> rights_record(const azure_blob::Observation& seen) {
  // Strangers are not recorded: they could fill the disk, and changed nothing.
  if (seen.proof.empty() || std::find(kAudited.begin(), kAudited.end(), seen.operation) == kAudited.end()) {
    return std::nullopt;
  }
  admin::AuditRecord record;
  record.action = seen.operation;
  record.target = seen.path.substr(0, kPathRecorded);
  record.who = fmt::format("{} {}", seen.account, seen.proof);
  record.from = seen.peer_address;
  record.request_id = seen.request_id;
  record.status = seen.status;
  record.result = seen.error_code.empty() ? std::string_view("ok") : seen.error_code;
  if (!seen.client_request_id.empty()) {
    record.details.emplace_back("client_request_id", seen.client_request_id.substr(0, kClientRequestIdRecorded));
  }
  return record;
}

void record_failure(Audit& audit, const azure_blob::Observation& seen) {
  const auto record = rights_record(seen);
  if (!record) return;
  if (was_refused(seen)) {
    audit.refused(std::string(seen.account), *record);
  } else {
    audit.note(*record);
  }
}

}  // namespace tombolo::server
