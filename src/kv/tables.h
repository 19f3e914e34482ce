// The one table of all key prefixes: a new table of rows is one line here, and a collision does not compile.
//
// A key begins with its space: 'G' global, 'D' data (then tenant, 8 bytes, and container id, 8 bytes; zero for the
// tenant's byte tables), 'C' cell. Then comes the table's letter, then what the table's owner encodes (meta/keys).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/endian.h"
#include "base/ids.h"

namespace tombolo::kv {

enum class Space : char { kGlobal = 'G', kData = 'D', kCell = 'C' };

/// The guard that a transaction must hold (shared at least) to write a row of the table (kv.h, core.md §1).
enum class GuardRule {
  kNone,       // point conflicts are enough
  kContainer,  // the container's guard: key of its config row
};

//  name, space, letter, guard, what a row is. A name is an enumerator of Table; letters are unique within a space and
//  never change.
#define TOMBOLO_KV_TABLES(X)                                                                                      \
  /* meta/keys: global */                                                                                         \
  X(kTenants, kGlobal, 'T', kNone, "<tenant>: a tenant")                                                          \
  X(kAccounts, kGlobal, 'A', kNone, "<name>: an account, its tenant and sealed keys")                             \
  X(kContainerNames, kGlobal, 'N', kNone, "<account>\\0\\0<container>: tenant and container id")                  \
  X(kRemotes, kGlobal, 'R', kNone, "<name>: a remote's configuration")                                            \
  X(kServiceProperties, kGlobal, 'P', kNone, "<account>: properties of its Blob service")                         \
  /* meta/keys: names, inside a container */                                                                      \
  X(kContainers, kData, 'c', kContainer, "the container; its key is the guard")                                   \
  X(kDirectories, kData, 'd', kContainer, "<dir>: a directory (hns)")                                             \
  X(kObjects, kData, 'o', kContainer, "<dir><name>: current record")                                              \
  X(kVersions, kData, 'v', kContainer, "<dir><name>\\0\\0<~version stamp>: a version that is not current")        \
  X(kUploadHeads, kData, 'U', kContainer, "<dir><name>\\0\\0<slot>: head of an upload")                           \
  X(kUploadBlocks, kData, 'u', kContainer, "<upload>b<block id>: staged block; <upload>n: how many")              \
  X(kLeases, kData, 'l', kContainer, "<object>: lease")                                                           \
  X(kTags, kData, 'g', kContainer, "<tag>\\0\\0<value>\\0\\0<object>: tag index")                                 \
  X(kUsage, kData, 'q', kContainer, "<metric><shard>: counter")                                                   \
  /* meta/keys: bytes, inside a tenant */                                                                         \
  X(kGens, kData, 'i', kNone, "<gen>: state, shape, native place, inline bytes")                                  \
  X(kRuns, kData, 'm', kNone, "<gen><offset>: one run")                                                           \
  X(kPackedPlaces, kData, 'k', kNone, "<gen><offset>: places in packs")                                           \
  X(kSlices, kData, 's', kNone, "<gen><offset>: piece of another gen")                                            \
  X(kEdges, kData, 'r', kNone, "<gen><holder>: holder keeps gen alive")                                           \
  X(kPackEdges, kData, 'R', kNone, "<pack><gen>: gen keeps pack alive")                                           \
  X(kPacks, kData, 'P', kNone, "<pack>: a pack")                                                                  \
  X(kNativeKeys, kData, 'K', kNone, "<remote>\\0\\0<key>: owner of a native object")                              \
  /* meta/keys: the cell */                                                                                       \
  X(kFeed, kCell, 'e', kNone, "<shard><epoch><stamp>: change feed")                                               \
  X(kCandidates, kCell, 'G', kNone, "<shard><queued><kind><id>: candidate of garbage collection")                 \
  X(kHighWater, kCell, 'H', kNone, "<counter name>: stamps and ids leased, epochs")                               \
  X(kColdBytes, kCell, 'b', kNone, "counter of run bytes without a local place")                                  \
  X(kPurges, kCell, 'Q', kNone, "<queued><id>: purge of a container or upload")                                   \
  X(kWork, kCell, 'W', kNone, "<action><shard><due><id>: tier and lifecycle queues")                              \
  /* kv */                                                                                                        \
  X(kOperations, kCell, 'I', kNone, "<sequence/2^20><operation id>: this operation has been committed (kv::run)") \
  /* the rest: their own folders */                                                                               \
  X(kJobs, kCell, 'J', kNone, "<job>: a job (jobs/job.h)")                                                        \
  X(kSegments, kCell, 'S', kNone, "<segment>: a segment file (docs/formats/segments.md)")                         \
  X(kSegmentLive, kCell, 's', kNone, "<segment>: counter of its live bytes")

enum class Table {
#define X(name, space, letter, guard, doc) name,
  TOMBOLO_KV_TABLES(X)
#undef X
};

struct TableInfo {
  std::string_view name;
  Space space;
  char letter;
  GuardRule guard;
  std::string_view doc;
};

inline constexpr auto kTables = std::to_array<TableInfo>({
#define X(name, space, letter, guard, doc) TableInfo{#name, Space::space, letter, GuardRule::guard, doc},
    TOMBOLO_KV_TABLES(X)
#undef X
});

constexpr const TableInfo& info(Table table) {
  return kTables[static_cast<std::size_t>(table)];
}

constexpr bool letters_are_unique() {
  for (std::size_t a = 0; a < kTables.size(); ++a) {
    for (std::size_t b = a + 1; b < kTables.size(); ++b) {
      if (kTables[a].space == kTables[b].space && kTables[a].letter == kTables[b].letter) return false;
    }
  }
  return true;
}
static_assert(letters_are_unique(), "two tables share a prefix");

/// The prefix of a global or cell table: space, letter.
inline std::string table_prefix(Table table) {
  return {static_cast<char>(info(table).space), info(table).letter};
}

/// The prefix of a data table: 'D', tenant, container (0 = the tenant's byte tables), letter.
inline std::string table_prefix(Table table, TenantId tenant, ContainerId container) {
  std::string prefix(1, static_cast<char>(info(table).space));
  append_be64(prefix, tenant.value);
  append_be64(prefix, container.value);
  prefix.push_back(info(table).letter);
  return prefix;
}

/// The smallest key above every key that begins with `prefix`. Requires a prefix with a byte below 0xff.
inline std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace tombolo::kv
