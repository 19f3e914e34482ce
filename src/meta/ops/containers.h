// Containers: create, find, change, delete, list. One .cc per operation.
//
// Every mutation inside a container takes the container's guard shared and reads its state; the ones here that change
// or end it take it exclusive.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meta/cell.h"
#include "meta/model/conditions.h"
#include "meta/model/container.h"

namespace tombolo::meta {

struct CreateContainer {
  TenantId tenant;
  std::string account;
  std::string name;
  Mode mode = Mode::kFlat;  // kHns: kUnsupported for now
  Metadata metadata;
  std::string native_remote;
};
/// kAlreadyExists "ContainerAlreadyExists".
Task<Container> create_container(Cell cell, CreateContainer request);

/// In one snapshot, name to state. kNotFound "ContainerNotFound" when there is none, or it is of another tenant.
Task<Container> get_container(Cell cell, TenantId tenant, std::string account, std::string name);
/// By key; also one that is being deleted. For background work.
Task<std::optional<Container>> find_container(Cell cell, ContainerKey key);

struct ChangeContainer {
  std::optional<Metadata> metadata;          // replaces all
  std::optional<std::string> native_remote;  // binds; empty unbinds
};
/// kNotFound "ContainerNotFound"; kConditionFailed "ConditionNotMet".
Task<Container> change_container(Cell cell, ContainerKey key, ChangeContainer change, Conditions conditions);

/// Unlinks the name, marks the container deleting, queues the purge. kNotFound "ContainerNotFound"; kConditionFailed
/// "ConditionNotMet".
Task<void> delete_container(Cell cell, ContainerKey key, Conditions conditions);

struct ContainerQuery {
  TenantId tenant;
  std::string account;
  std::string prefix;
  std::string start_after;      // exclusive
  std::uint32_t limit = 5'000;  // 1 … 5,000; a page may have fewer
};
struct ContainerPage {
  std::vector<Container> containers;
  std::optional<std::string> next;  // pass as start_after
};
/// Name order. Reads one snapshot per page, which ends at kListBytesMax (list_bytes.h).
Task<ContainerPage> list_containers(Cell cell, ContainerQuery query);

}  // namespace tombolo::meta
