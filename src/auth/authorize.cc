#include "auth/authorize.h"

#include "auth/codes.h"

namespace tombolo::auth {
namespace {

Error denied(std::string_view code, std::string why) {
  return {Code::kPermissionDenied, std::move(why), code};
}

Result<void> check_permission(Permissions granted, Permissions any_of) {
  if (granted.intersects(any_of)) return {};
  return denied(codes::kPermissionMismatch, "the SAS does not grant the permission for this operation");
}

Result<void> authorize_account_sas(const VerifiedRequest& request, const Operation& operation) {
  if (!request.services.has(Service::kBlob)) {
    return denied(codes::kServiceMismatch, "the SAS is not for the blob service (ss)");
  }
  if (!request.types.intersects(operation.needs.types)) {
    return denied(codes::kResourceTypeMismatch, "the SAS is not for this type of resource (srt)");
  }
  return check_permission(request.permissions, operation.needs.account_sas);
}

Result<void> authorize_service_sas(const VerifiedRequest& request, const Operation& operation) {
  if (request.container != operation.container || (request.blob && *request.blob != operation.blob)) {
    return denied(codes::kAuthorizationFailure, "the SAS is for another container or blob");
  }
  if (operation.needs.service_sas.empty()) {
    return denied(codes::kAuthorizationFailure, "no service SAS reaches a container itself or an account");
  }
  return check_permission(request.permissions, operation.needs.service_sas);
}

}  // namespace

Result<void> authorize(const VerifiedRequest& request, const Operation& operation) {
  switch (request.proof) {
    case Proof::kSharedKey:
      return {};
    case Proof::kAccountSas:
      return authorize_account_sas(request, operation);
    case Proof::kServiceSas:
      return authorize_service_sas(request, operation);
  }
  return denied(codes::kAuthorizationFailure, "unknown kind of proof");
}

}  // namespace tombolo::auth
