// One page of a container's names: objects, folded prefixes, and names that have only staged blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meta/cell.h"
#include "meta/model/object.h"

namespace tombolo::meta {

enum class ListInclude : std::uint8_t { kNothing = 0, kUncommitted = 1 };

/// A container that is going loses its names one by one.
enum class ListOf : std::uint8_t { kAnyContainer = 0, kLiveContainer = 1 };

struct ObjectQuery {
  std::string prefix;
  std::string delimiter;        // empty: flat; else names are folded after its first occurrence behind the prefix
  std::string start_after;      // exclusive; a page's `next`, or any name
  std::string start_from;       // inclusive; any name, the later of both counts. Only what is behind it is folded
  std::uint32_t limit = 5'000;  // 1 … 5,000, objects and prefixes together; a page may have fewer
  ListInclude include = ListInclude::kNothing;
  ListOf of = ListOf::kAnyContainer;
};

/// Exactly one of object, uncommitted_name, prefix is set.
struct ObjectEntry {
  std::optional<Object> object;
  std::optional<std::string> uncommitted_name;
  std::optional<std::string> prefix;
};

struct ObjectPage {
  std::vector<ObjectEntry> entries;  // byte order of name or prefix
  /// nullopt at the end. After a prefix it is that prefix and 0xff (no name has that byte), so that the next page skips
  /// what was folded. Survives deletes. Not always UTF-8: a dialect encodes it.
  std::optional<std::string> next;
};

/// Reads one snapshot; a page ends at kListBytesMax (list_bytes.h); work is bounded by `limit`: one seek per folded
/// prefix, no row of a folded prefix but its first few. kNotFound "ContainerNotFound" where a live container is asked
/// for and that snapshot has none.
Task<ObjectPage> list_objects(Cell cell, ContainerKey container, ObjectQuery query);

}  // namespace tombolo::meta
