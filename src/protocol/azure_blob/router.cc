#include "protocol/azure_blob/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/ascii.h"
#include "protocol/azure_blob/errors.h"
#include "protocol/azure_blob/operations.h"

namespace tombolo::azure_blob {
namespace {

namespace rights = auth::rights;

// clang-format off
const Operation kOperations[] = {
    {"ListContainers",         Level::kService,   "GET",    "",          "list",       rights::kListContainers,         list_containers},
    {"GetServiceProperties",   Level::kService,   "GET",    "service",   "properties", rights::kGetServiceProperties,   get_service_properties},
    {"SetServiceProperties",   Level::kService,   "PUT",    "service",   "properties", rights::kSetServiceProperties,   set_service_properties},
    {"GetAccountInformation",  Level::kService,   "GET",    "account",   "properties", rights::kGetAccountInformation,  get_account_information},
    {"GetAccountInformation",  Level::kService,   "HEAD",   "account",   "properties", rights::kGetAccountInformation,  get_account_information},
    {"GetAccountInformation",  Level::kContainer, "GET",    "account",   "properties", rights::kGetAccountInformation,  get_account_information},
    {"GetAccountInformation",  Level::kContainer, "HEAD",   "account",   "properties", rights::kGetAccountInformation,  get_account_information},
    {"GetAccountInformation",  Level::kBlob,      "GET",    "account",   "properties", rights::kGetAccountInformation,  get_account_information},
    {"GetAccountInformation",  Level::kBlob,      "HEAD",   "account",   "properties", rights::kGetAccountInformation,  get_account_information},
    {"CreateContainer",        Level::kContainer, "PUT",    "container", "",           rights::kCreateContainer,        create_container},
    {"GetContainerProperties", Level::kContainer, "GET",    "container", "",           rights::kGetContainerProperties, get_container_properties},
    {"GetContainerProperties", Level::kContainer, "HEAD",   "container", "",           rights::kGetContainerProperties, get_container_properties},
    {"GetContainerMetadata",   Level::kContainer, "GET",    "container", "metadata",   rights::kGetContainerProperties, get_container_metadata},
    {"GetContainerMetadata",   Level::kContainer, "HEAD",   "container", "metadata",   rights::kGetContainerProperties, get_container_metadata},
    {"SetContainerMetadata",   Level::kContainer, "PUT",    "container", "metadata",   rights::kSetContainerMetadata,   set_container_metadata},
    {"DeleteContainer",        Level::kContainer, "DELETE", "container", "",           rights::kDeleteContainer,        delete_container},
    {"ListBlobs",              Level::kContainer, "GET",    "container", "list",       rights::kListBlobs,              list_blobs},
    {"PutBlob",                Level::kBlob,      "PUT",    "",          "",           rights::kPutBlob,                put_blob},
    {"PutBlock",               Level::kBlob,      "PUT",    "",          "block",      rights::kPutBlock,               put_block},
    {"PutBlockList",           Level::kBlob,      "PUT",    "",          "blocklist",  rights::kPutBlockList,           put_block_list},
    {"GetBlockList",           Level::kBlob,      "GET",    "",          "blocklist",  rights::kGetBlockList,           get_block_list},
    {"GetBlob",                Level::kBlob,      "GET",    "",          "",           rights::kGetBlob,                get_blob},
    {"GetBlobProperties",      Level::kBlob,      "HEAD",   "",          "",           rights::kGetBlobProperties,      get_blob_properties},
    {"GetBlobMetadata",        Level::kBlob,      "GET",    "",          "metadata",   rights::kGetBlobProperties,      get_blob_metadata},
    {"GetBlobMetadata",        Level::kBlob,      "HEAD",   "",          "metadata",   rights::kGetBlobProperties,      get_blob_metadata},
    {"SetBlobMetadata",        Level::kBlob,      "PUT",    "",          "metadata",   rights::kSetBlobMetadata,        set_blob_metadata},
    {"SetBlobProperties",      Level::kBlob,      "PUT",    "",          "properties", rights::kSetBlobProperties,      set_blob_properties},
    {"DeleteBlob",             Level::kBlob,      "DELETE", "",          "",           rights::kDeleteBlob,             delete_blob},
};
// clang-format on

// Values of `comp` that are Azure's, and not built at any level but those of the table.
constexpr std::string_view kUnbuilt[] = {
    "acl",
    "appendblock",
    "batch",
    "blobs",
    "copy",
    "expiry",
    "immutabilitypolicies",
    "incrementalcopy",
    "lease",
    "legalhold",
    "page",
    "pagelist",
    "query",
    "rename",
    "seal",
    "snapshot",
    "tags",
    "tier",
    "undelete",
    "userdelegationkey",
    "properties",
    "metadata",
    "block",
    "blocklist",
};

constexpr std::string_view kVerbs[] = {"GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"};

template <class Range>
bool holds(const Range& range, std::string_view value) {
  return std::find(std::begin(range), std::end(range), value) != std::end(range);
}

}  // namespace

std::span<const Operation> operations() {
  return kOperations;
}

Result<const Operation*> route(Level level, std::string_view method, const Query& query) {
  const std::string restype = lower(query.value("restype")), comp = lower(query.value("comp"));
  if (!holds(kVerbs, method)) {
    return refuse(codes::kUnsupportedHttpVerb, "The methods are GET, HEAD, PUT and DELETE.");
  }
  bool other_method = false;
  for (const Operation& row : kOperations) {
    if (row.level != level || row.restype != restype || row.comp != comp) continue;
    if (row.method == method) return &row;
    other_method = true;
  }
  if (other_method) return refuse(codes::kUnsupportedHttpVerb, "This operation has another method.");
  if (holds(kUnbuilt, comp)) {
    return refuse(codes::kUnsupportedQueryParameter, fmt::format("comp={} is not built yet for this resource.", comp));
  }
  if (!comp.empty() && comp != "list") {
    return refuse(codes::kInvalidQueryParameterValue, "There is no operation with this value of comp.");
  }
  if (restype.empty()) {
    return refuse(codes::kMissingRequiredQueryParameter,
                  level == Level::kService ? "Name an operation with comp." : "A container needs restype=container.");
  }
  return refuse(codes::kInvalidQueryParameterValue, "This value of restype names nothing here.");
}

}  // namespace tombolo::azure_blob
