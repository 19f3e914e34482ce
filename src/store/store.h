// Store: the operations on containers and objects, whatever the dialect. One file per operation in ops/.
#pragma once

#include "async/task.h"
#include "meta/ops/service_properties.h"
#include "store/types.h"

namespace tombolo::store {

struct Services;  // store/services.h: what operations work with; owned by server/

/// Thread-safe; a thin handle. Errors of every operation: kNotFound with detail "ContainerNotFound" or "BlobNotFound",
/// kBusy, kNoSpace (writes only), kUnavailable, kCorrupt; kConditionFailed with detail "ConditionNotMet",
/// "NotModified" or "BlobAlreadyExists" where conditions are taken. Acknowledged means synced.
class Store {
 public:
  explicit Store(Services& services) : services_(services) {}

  /// kAlreadyExists, kInvalid ("InvalidResourceName").
  Task<meta::Container> create_container(ContainerRef ref, meta::Metadata metadata);
  Task<meta::Container> get_container(ContainerRef ref);
  Task<meta::Container> set_container_metadata(ContainerRef ref, meta::Metadata metadata, meta::Conditions conditions);
  /// Gone from view at once; a new container of the name may be made at once; its bytes go in the background.
  Task<void> delete_container(ContainerRef ref, meta::Conditions conditions);
  Task<ListContainersPage> list_containers(TenantId tenant, std::string account, ListContainers query);

  /// The account's document (meta/ops/service_properties.h); empty when nothing was ever set.
  Task<std::string> get_service_properties(std::string account);
  Task<void> change_service_properties(std::string account, meta::ChangeDocument change);

  /// Replaces what is there, and drops staged blocks of the name.
  Task<meta::Object> put_object(ObjectRef ref, PutObject request);
  /// kInvalid "InvalidBlobOrBlock" when ids of one object differ in length; kTooLarge "BlockCountExceedsLimit".
  Task<StagedBlock> stage_block(ObjectRef ref, StageBlock request);
  /// kInvalid "InvalidBlockList" when a block is unknown, kInvalid "BlockListTooLong".
  Task<meta::Object> commit_block_list(ObjectRef ref, CommitBlockList request);
  Task<BlockList> get_block_list(ObjectRef ref);

  Task<meta::Object> head_object(ObjectRef ref, meta::Conditions conditions);
  /// kOutOfRange when the range starts at or past the end of a non-empty object, or anywhere in an empty one; a range
  /// that ends past the end is cut.
  Task<ObjectReader> get_object(ObjectRef ref, std::optional<ByteRange> range, meta::Conditions conditions,
                                Reads reads = Reads::kOnce);
  Task<meta::Object> set_object_headers(ObjectRef ref, meta::ObjectHeaders headers, meta::Conditions conditions);
  Task<meta::Object> set_object_metadata(ObjectRef ref, meta::Metadata metadata, meta::Conditions conditions);
  /// Also removes a name that has only staged blocks.
  Task<void> delete_object(ObjectRef ref, meta::Conditions conditions);
  Task<ListObjectsPage> list_objects(ContainerRef ref, ListObjects query);

 private:
  Services& services_;
};

}  // namespace tombolo::store
