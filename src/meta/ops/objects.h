// Objects: the current record of a name. One .cc per operation.
//
// Errors of all: kNotFound "ContainerNotFound" or "BlobNotFound"; kInvalid "InvalidResourceName" for a name that is
// empty, no UTF-8, or over kNameBytesMax encoded; kConditionFailed "ConditionNotMet", "NotModified" or
// "BlobAlreadyExists" where conditions are taken; kBusy "UploadSealed" while a commit of the name is under way (wait a
// little, try again).
#pragma once

#include <optional>
#include <string>

#include "meta/cell.h"
#include "meta/model/conditions.h"
#include "meta/model/object.h"
#include "meta/model/upload.h"
#include "meta/ops/new_gen.h"

namespace tombolo::meta {

struct ObjectAddress {
  TenantId tenant;
  std::string account, container, name;
};
struct FoundObject {
  ContainerKey container;
  Object object;
};
/// The container by its name and the object in it, in one snapshot: the way of every read.
Task<FoundObject> find_object(Cell cell, ObjectAddress address);
/// kNotFound "BlobNotFound". Does not look at the container: find it first.
Task<Object> get_object(Cell cell, ContainerKey container, std::string name);

struct PublishObject {
  ContainerKey container;
  std::string name;
  NewGen gen;
  ObjectKind kind = ObjectKind::kBlock;
  ObjectHeaders headers;
  Metadata metadata;
  Conditions conditions;
  std::optional<UploadSeal> seal;  // a commit's flip: kConflict-free proof that it still owns the name
};
/// Makes the name point at the gen, replaces what is there, and drops the name's upload (its blocks are purged later).
/// With `seal`: kBusy "SealLost" when the seal is no longer held (then unseal is not needed). kTooLarge when
/// metadata is over kMetadataBytesMax. kUnavailable "GenCondemned" when a staged gen was condemned meanwhile.
Task<Object> publish_object(Cell cell, PublishObject request);

/// Also removes a name that has only staged blocks (conditions are then judged against nothing).
Task<void> delete_object(Cell cell, ContainerKey container, std::string name, Conditions conditions);

Task<Object> set_object_headers(Cell cell, ContainerKey container, std::string name, ObjectHeaders headers,
                                Conditions conditions);
Task<Object> set_object_metadata(Cell cell, ContainerKey container, std::string name, Metadata metadata,
                                 Conditions conditions);

}  // namespace tombolo::meta
