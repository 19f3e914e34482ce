// authorize(): may this verified request do this operation? And the rights that each Azure Blob operation needs.
// Source: Microsoft Learn "Create an account SAS" (table of operations) and "Create a service SAS" (permissions).
#pragma once

#include <string_view>

#include "auth/verified_request.h"
#include "base/result.h"

namespace tombolo::auth {

/// Any one of a set suffices; an empty set means that this kind of SAS can never do it.
struct Rights {
  ResourceTypes types;      // any one of an account SAS's resource types
  Permissions account_sas;  // any one of these permissions of an account SAS
  Permissions service_sas;  // any one of these permissions of a service SAS
};

namespace rights {

inline constexpr ResourceTypes kOnService{ResourceType::kService};
inline constexpr ResourceTypes kOnContainer{ResourceType::kContainer};
inline constexpr ResourceTypes kOnObject{ResourceType::kObject};
inline constexpr Permissions kR{Permission::kRead};
inline constexpr Permissions kW{Permission::kWrite};
inline constexpr Permissions kD{Permission::kDelete};
inline constexpr Permissions kL{Permission::kList};
inline constexpr Permissions kCw{Permission::kCreate, Permission::kWrite};
inline constexpr Permissions kAny{Permission::kRead,
                                  Permission::kAdd,
                                  Permission::kCreate,
                                  Permission::kWrite,
                                  Permission::kDelete,
                                  Permission::kDeleteVersion,
                                  Permission::kPermanentDelete,
                                  Permission::kList,
                                  Permission::kTags,
                                  Permission::kFilter,
                                  Permission::kMove,
                                  Permission::kExecute,
                                  Permission::kChangeOwner,
                                  Permission::kChangePermissions,
                                  Permission::kChangeImmutability,
                                  Permission::kUpdate,
                                  Permission::kProcess};
inline constexpr Permissions kNever{};

// Get Account Information: at any level, any SAS.
inline constexpr Rights kGetAccountInformation{
    {ResourceType::kService, ResourceType::kContainer, ResourceType::kObject}, kAny, kAny};
inline constexpr Rights kListContainers{kOnService, kL, kNever};
inline constexpr Rights kGetServiceProperties{kOnService, kR, kNever};
inline constexpr Rights kSetServiceProperties{kOnService, kW, kNever};

// A service SAS can neither read nor change the container itself.
inline constexpr Rights kCreateContainer{kOnContainer, kCw, kNever};
inline constexpr Rights kGetContainerProperties{kOnContainer, kR, kNever};
inline constexpr Rights kSetContainerMetadata{kOnContainer, kW, kNever};
inline constexpr Rights kDeleteContainer{kOnContainer, kD, kNever};
inline constexpr Rights kListBlobs{kOnContainer, kL, kL};

// Put Blob by kCreate alone may only create: the handler asks may(kWrite) before it overwrites.
inline constexpr Rights kPutBlob{kOnObject, kCw, kCw};
inline constexpr Rights kPutBlock{kOnObject, kW, kW};
inline constexpr Rights kPutBlockList{kOnObject, kW, kW};
inline constexpr Rights kGetBlockList{kOnObject, kR, kR};
inline constexpr Rights kGetBlob{kOnObject, kR, kR};
inline constexpr Rights kGetBlobProperties{kOnObject, kR, kR};
inline constexpr Rights kSetBlobMetadata{kOnObject, kW, kW};
inline constexpr Rights kSetBlobProperties{kOnObject, kW, kW};
inline constexpr Rights kDeleteBlob{kOnObject, kD, kD};

}  // namespace rights

struct Operation {
  Rights needs;
  std::string_view container = {};  // that it touches, decoded; empty at the level of the account
  std::string_view blob = {};       // that it touches, decoded; empty at the level of the account or container
};

/// kPermissionDenied with the Azure code, checked in this order: an account SAS for another service
/// (AuthorizationServiceMismatch), for other resource types (AuthorizationResourceTypeMismatch); a service SAS bound to
/// another container or blob, or one where no service SAS suffices (AuthorizationFailure; on the latter's name restic
/// and rclone take the container for given: restic #4004, Azurite #637); a missing permission
/// (AuthorizationPermissionMismatch). Does not look whether the things exist.
Result<void> authorize(const VerifiedRequest& request, const Operation& operation);

}  // namespace tombolo::auth
